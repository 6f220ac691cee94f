//! The rights as a whole: the policies against their schema, the table, and what must hold for every caller.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;

use bailee_model::{
    Chance, Classification, FolderPath, KeyId, PrincipalId, RequestId, Role, Scope,
    ServiceAccountId, TenantId, Timestamp, UserId,
};
use cedar_policy::{ValidationMode, Validator};
use proptest::prelude::*;

use crate::limit::DECISIONS_KEPT_MAX;
use crate::question::Question;
use crate::resource::Kind;
use crate::{
    Action, Caller, Denied, Door, Facts, Permit, Policies, Reason, Resource, VerifiedCredential,
    Via, decision_table, table,
};

const ANN: PrincipalId = PrincipalId::User(UserId::from_bits(1));
const BOT: PrincipalId = PrincipalId::ServiceAccount(ServiceAccountId::from_bits(2));

struct Fixed;
impl Chance for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x5a);
    }
}

fn credential(roles: &[Role], scopes: &[Scope]) -> VerifiedCredential {
    VerifiedCredential {
        tenant: TenantId::from_bits(1),
        principal: ANN,
        label: "usr:ann".to_owned(),
        roles: roles.to_vec(),
        scopes: scopes.iter().copied().collect(),
        via: Via::ApiKey(KeyId::from_bits(7)),
        path_prefixes: Vec::new(),
        facts: Facts {
            address: None,
            request: RequestId::from_bits(9),
            now: Timestamp::from_ms(1_795_252_440_000),
            door: Door::Rest,
        },
    }
}

fn caller(roles: &[Role], scopes: &[Scope]) -> Caller {
    Caller::verified(credential(roles, scopes))
}

fn prefixed(roles: &[Role], prefixes: &[&str]) -> Caller {
    Caller::verified(VerifiedCredential {
        path_prefixes: prefixes.iter().map(|text| text.parse().unwrap()).collect(),
        ..credential(roles, Scope::ALL)
    })
}

fn file(path: &str) -> Resource {
    Resource::File {
        path: path.parse().unwrap(),
        classification: None,
        owner: None,
    }
}

fn folder(path: &str) -> Resource {
    Resource::Folder {
        path: path.parse().unwrap(),
    }
}

fn decide(caller: &Caller, action: Action, resource: &Resource) -> Result<Permit, Denied> {
    Policies::builtin()
        .unwrap()
        .decide(caller, action, resource, &Fixed)
}

/// Every action with every sample resource that it fits.
fn questions(policies: &Policies) -> Vec<(Action, Resource)> {
    let resources = table::resources();
    let pair = |action: &Action| {
        let action = *action;
        resources
            .iter()
            .map(move |(_, resource)| (action, resource.clone()))
    };
    Action::ALL
        .iter()
        .flat_map(pair)
        .filter(|(action, resource)| policies.fits(*action, resource.kind()))
        .collect()
}

/// Whether the resource is one that needs no scope.
fn is_own(action: Action, resource: &Resource) -> bool {
    match resource {
        Resource::Principal { id } => *id == ANN && action == Action::IdentityRead,
        Resource::Key { owner } => *owner == ANN,
        _ => false,
    }
}

#[test]
fn the_policies_fit_the_schema_strictly() {
    let validator = Validator::new(crate::policy::schema().unwrap());
    let result = validator.validate(&crate::policy::policies().unwrap(), ValidationMode::Strict);
    let complaints: Vec<String> = result
        .validation_errors()
        .map(ToString::to_string)
        .chain(result.validation_warnings().map(ToString::to_string))
        .collect();
    assert_eq!(complaints, Vec::<String>::new());
}

#[test]
fn schema_and_code_have_the_same_words() {
    let policies = Policies::builtin().unwrap();
    for action in Action::ALL {
        assert!(
            Kind::ALL.iter().any(|kind| policies.fits(*action, *kind)),
            "{action:?} is not in the schema"
        );
    }
    for kind in Kind::ALL {
        assert!(
            Action::ALL
                .iter()
                .any(|action| policies.fits(*action, *kind)),
            "{kind:?} is not in the schema"
        );
    }
    let kinds: BTreeSet<Kind> = table::resources()
        .iter()
        .map(|(_, resource)| resource.kind())
        .collect();
    assert_eq!(kinds.len(), Kind::ALL.len());
}

#[test]
fn the_printed_table_is_the_one_in_force() {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/policy-table.md"
    );
    let table = decision_table();
    assert!(!table.starts_with("error:"), "{table}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(page, &table).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(page).unwrap_or_default(),
        table,
        "rights changed; if that is meant, run this test with UPDATE=1"
    );
}

#[test]
fn without_its_scope_each_action_is_refused() {
    let policies = Policies::builtin().unwrap();
    for (action, resource) in questions(&policies) {
        let others: Vec<Scope> = Scope::ALL
            .iter()
            .copied()
            .filter(|scope| *scope != action.scope())
            // `admin` holds every other scope but `system`.
            .filter(|scope| *scope != Scope::Admin || action.scope() == Scope::System)
            .collect();
        let lacking = caller(Role::ALL, &others);
        let decided = policies.decide(&lacking, action, &resource, &Fixed);
        if is_own(action, &resource) {
            assert!(decided.is_ok(), "{action:?} {resource:?}");
            continue;
        }
        let reason = decided.unwrap_err().reason;
        assert_eq!(reason, Reason::InsufficientScope(action.scope()));

        let narrow = caller(Role::ALL, &[action.scope()]);
        let decided = policies.decide(&narrow, action, &resource, &Fixed);
        assert!(decided.is_ok(), "{action:?} {resource:?}");
    }
}

#[test]
fn admin_stands_for_all_scopes_but_system() {
    let policies = Policies::builtin().unwrap();
    let admin = caller(Role::ALL, &[Scope::Admin]);
    for (action, resource) in questions(&policies) {
        let decided = policies.decide(&admin, action, &resource, &Fixed);
        assert_eq!(
            decided.is_ok(),
            action.scope() != Scope::System,
            "{action:?}"
        );
    }
}

#[test]
fn prefixes_bound_folders_and_files_by_whole_segments() {
    let ann = prefixed(&[Role::Member], &["/a", "/c/d"]);
    for admitted in ["/a/x.csv", "/a/b/x.csv", "/c/d/x.csv"] {
        assert!(
            decide(&ann, Action::FileRead, &file(admitted)).is_ok(),
            "{admitted}"
        );
    }
    for outside in ["/ab/x.csv", "/x.csv", "/a", "/c/x.csv", "/c/de/x.csv"] {
        let denied = decide(&ann, Action::FileRead, &file(outside)).unwrap_err();
        assert_eq!(denied.reason, Reason::OutsidePathPrefixes, "{outside}");
        assert!(!denied.visible, "{outside}");
    }
    assert!(decide(&ann, Action::FileList, &folder("/a")).is_ok());
    assert!(decide(&ann, Action::FileList, &folder("/")).is_err());
    assert!(decide(&ann, Action::FolderWrite, &folder("/c")).is_err());
    assert!(decide(&ann, Action::RemoteRead, &Resource::Tenant).is_ok());
}

#[test]
fn a_refusal_says_whether_the_object_may_be_known() {
    let reader = caller(&[Role::Member], &[Scope::FilesRead]);
    let denied = decide(&reader, Action::FileDelete, &file("/a.csv")).unwrap_err();
    assert_eq!(denied.reason, Reason::InsufficientScope(Scope::FilesDelete));
    assert!(denied.visible);

    let nobody = caller(&[], Scope::ALL);
    let denied = decide(&nobody, Action::FileRead, &file("/a.csv")).unwrap_err();
    assert_eq!((denied.reason, denied.visible), (Reason::Role, false));

    let auditor = caller(&[Role::Auditor], Scope::ALL);
    let denied = decide(&auditor, Action::FileRead, &file("/a.csv")).unwrap_err();
    assert_eq!((denied.reason, denied.visible), (Reason::Role, true));

    let denied = decide(&nobody, Action::SettingsManage, &Resource::Tenant).unwrap_err();
    assert_eq!((denied.reason, denied.visible), (Reason::Role, true));
}

#[test]
fn an_operator_reaches_no_content() {
    let operator = caller(&[Role::Operator], Scope::ALL);
    let policies = Policies::builtin().unwrap();
    for (action, resource) in questions(&policies) {
        if matches!(resource.kind(), Kind::File | Kind::Folder | Kind::Transfer) {
            let decided = policies.decide(&operator, action, &resource, &Fixed);
            assert!(decided.is_err(), "{action:?}");
        }
    }
    assert!(decide(&operator, Action::TenantManage, &Resource::System).is_ok());
    let administrator = caller(&[Role::Administrator], Scope::ALL);
    assert!(decide(&administrator, Action::TenantManage, &Resource::System).is_err());
    assert!(decide(&administrator, Action::SystemRead, &Resource::System).is_err());
}

#[test]
fn an_action_that_does_not_fit_is_refused() {
    let all = caller(Role::ALL, Scope::ALL);
    let policies = Policies::builtin().unwrap();
    for (_, resource) in table::resources() {
        for action in Action::ALL {
            let decided = policies.decide(&all, *action, &resource, &Fixed);
            let fits = policies.fits(*action, resource.kind());
            assert_eq!(decided.is_ok(), fits, "{action:?} {resource:?}");
        }
    }
}

#[test]
fn remembered_answers_are_the_fresh_ones() {
    let policies = Policies::builtin().unwrap();
    let mut role_sets: Vec<Vec<Role>> = Role::ALL.iter().map(|role| vec![*role]).collect();
    role_sets.extend([Vec::new(), Role::ALL.to_vec()]);
    for (action, resource) in questions(&policies) {
        for roles in &role_sets {
            for scopes in [&[][..], &[action.scope()], Scope::ALL] {
                for prefixes in [&[][..], &["/elsewhere"]] {
                    let asking = Caller::verified(VerifiedCredential {
                        path_prefixes: prefixes.iter().map(|text| text.parse().unwrap()).collect(),
                        ..credential(roles, scopes)
                    });
                    let question = Question::new(&asking, action, &resource);
                    let fresh = policies.answer_afresh(question);
                    assert_eq!(policies.answer(question), fresh);
                    assert_eq!(policies.answer(question), fresh);
                    if let Err(Reason::Forbidden(id)) = fresh {
                        panic!("no built-in policy refuses as {id}");
                    }
                }
            }
        }
    }
}

#[test]
fn memory_is_bounded() {
    let policies = Policies::builtin().unwrap();
    let sets = 1..=DECISIONS_KEPT_MAX + 10;
    for set in sets {
        let is_in = |place: usize| (set >> place) & 1 == 1;
        let scopes = Scope::ALL.iter().enumerate();
        let scopes: Vec<Scope> = scopes
            .filter(|(place, scope)| is_in(*place) && **scope != Scope::Admin)
            .map(|(_, scope)| *scope)
            .collect();
        // A pair that does not fit is answered, and remembered, without the cost of asking Cedar.
        let asking = caller(&[], &scopes);
        let denied = policies.decide(&asking, Action::FileRead, &Resource::System, &Fixed);
        assert!(denied.is_err());
    }
    assert_eq!(policies.remembered(), 10);
}

#[test]
fn debug_of_a_caller_shows_names_only() {
    let shown = format!("{:?}", caller(&[Role::Member], &[Scope::FilesRead]));
    assert!(shown.contains("usr:ann"));
    assert!(!shown.contains("bailee_"));
}

fn any_resource() -> impl Strategy<Value = Resource> {
    let path = "(/[abc]{1,2}){1,3}";
    let owner = prop_oneof![Just(ANN), Just(BOT)];
    let classification = prop_oneof![
        Just(None),
        Just(Some(Classification::Public)),
        Just(Some(Classification::Restricted)),
    ];
    let samples: Vec<Resource> = table::resources().into_iter().map(|(_, r)| r).collect();
    prop_oneof![
        proptest::sample::select(samples),
        path.prop_map(|text: String| folder(&text)),
        (path, classification, proptest::option::of(owner)).prop_map(
            |(text, classification, owner)| Resource::File {
                path: text.parse().unwrap(),
                classification,
                owner,
            }
        ),
    ]
}

fn any_caller() -> impl Strategy<Value = Caller> {
    let prefixes = proptest::collection::vec("(/[abc]{1,2}){0,2}", 0..3);
    (
        any::<u128>(),
        proptest::sample::subsequence(Role::ALL, 0..=Role::ALL.len()),
        proptest::sample::subsequence(Scope::ALL, 0..=Scope::ALL.len()),
        prefixes,
    )
        .prop_map(|(tenant, roles, scopes, prefixes)| {
            Caller::verified(VerifiedCredential {
                tenant: TenantId::from_bits(tenant),
                path_prefixes: prefixes
                    .iter()
                    .map(|text| text.parse::<FolderPath>().unwrap())
                    .collect(),
                ..credential(&roles, &scopes)
            })
        })
}

proptest! {
    // Each case reads the policies anew, which takes longer than all its decisions.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_permit_is_of_its_caller_and_within_its_credential(
        callers in proptest::collection::vec(any_caller(), 8),
        action in proptest::sample::select(Action::ALL),
        resource in any_resource(),
    ) {
        let policies = Policies::builtin().unwrap();
        for caller in callers {
            let Ok(permit) = policies.decide(&caller, action, &resource, &Fixed) else {
                continue;
            };
            prop_assert_eq!(permit.tenant(), caller.tenant());
            prop_assert_eq!(permit.principal(), caller.principal());
            prop_assert_eq!(permit.label(), caller.label());
            prop_assert_eq!(permit.via(), caller.via());
            prop_assert_eq!(permit.action(), action);
            prop_assert_eq!(permit.decision().made_at(), caller.facts().now);
            prop_assert_eq!(permit.caller_facts().request, caller.facts().request);
            prop_assert!(caller.scopes().hold(action.scope()) || is_own(action, &resource));
            prop_assert!(resource.is_within_any(caller.path_prefixes()));
            prop_assert!(!caller.roles().is_empty() || is_own(action, &resource));
        }
    }
}
