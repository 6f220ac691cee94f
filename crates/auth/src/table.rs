//! The policy decision table: role × action × resource, printed, so that a changed right is seen in review.

use std::fmt::Write;

use bailee_model::{
    FilePath, FolderPath, KeyId, PrincipalId, RequestId, Role, Scope, ServiceAccountId, TenantId,
    Timestamp, UserId,
};

use crate::question::Question;
use crate::{
    Action, Caller, Door, Facts, Policies, PolicyError, Resource, VerifiedCredential, Via,
};

const HEAD: &str = "\
# Policy table

Who may do what in its own tenant, as the built-in policies decide it. Generated; do not edit.

Each row is asked with every scope and no path prefixes. Whatever stands here, the credential needs the scope in the
second column (`admin` stands for all but `system`), except for one's own principal (to look) and one's own keys. A
principal with several roles may do what any of them may. Combinations that are not listed are refused to everybody.

| action | scope | resource | administrator | member | auditor | operator | no role |
|---|---|---|---|---|---|---|---|
";

/// The whole table as a Markdown page. If the policies are broken, the text of the error stands in its place.
pub fn decision_table() -> String {
    rows().unwrap_or_else(|error| format!("error: {error}\n"))
}

fn rows() -> Result<String, PolicyError> {
    let policies = Policies::builtin()?;
    let mut page = HEAD.to_owned();
    for action in Action::ALL {
        for (name, resource) in resources() {
            if !policies.fits(*action, resource.kind()) {
                continue;
            }
            // Writing to a String cannot fail.
            let _ = write!(
                page,
                "| {} | `{}` | {name} |",
                action.name(),
                action.scope()
            );
            for role in Role::ALL.iter().map(|role| Some(*role)).chain([None]) {
                let question = Question::new(&sample(role), *action, &resource);
                let mark = if policies.answer_afresh(question).is_ok() {
                    "yes"
                } else {
                    "–"
                };
                let _ = write!(page, " {mark} |");
            }
            page.push('\n');
        }
    }
    Ok(page)
}

const SAMPLE: PrincipalId = PrincipalId::User(UserId::from_bits(1));
const ANOTHER: PrincipalId = PrincipalId::ServiceAccount(ServiceAccountId::from_bits(2));

/// One resource of each kind, where it matters both the caller's own and another's.
pub(crate) fn resources() -> Vec<(&'static str, Resource)> {
    let mut all = vec![
        ("tenant", Resource::Tenant),
        (
            "folder",
            Resource::Folder {
                path: FolderPath::root(),
            },
        ),
    ];
    // The path is a constant and parses.
    all.extend("/a/b.csv".parse::<FilePath>().ok().map(|path| {
        (
            "file",
            Resource::File {
                path,
                classification: None,
                owner: Some(ANOTHER),
            },
        )
    }));
    all.extend([
        ("transfer, own", Resource::Transfer { owner: SAMPLE }),
        ("transfer, another's", Resource::Transfer { owner: ANOTHER }),
    ]);
    all.extend(
        "bank"
            .parse()
            .ok()
            .map(|name| ("remote", Resource::Remote { name })),
    );
    all.extend([
        ("pgp key", Resource::PgpKey),
        ("webhook", Resource::Webhook),
        ("flow", Resource::Flow),
        ("principal, itself", Resource::Principal { id: SAMPLE }),
        ("principal, another", Resource::Principal { id: ANOTHER }),
        ("key, own", Resource::Key { owner: SAMPLE }),
        ("key, another's", Resource::Key { owner: ANOTHER }),
        ("system", Resource::System),
    ]);
    all
}

fn sample(role: Option<Role>) -> Caller {
    Caller::verified(VerifiedCredential {
        tenant: TenantId::from_bits(1),
        principal: SAMPLE,
        label: "usr:sample".to_owned(),
        roles: role.into_iter().collect(),
        scopes: Scope::ALL.iter().copied().collect(),
        via: Via::ApiKey(KeyId::from_bits(1)),
        path_prefixes: Vec::new(),
        facts: Facts {
            address: None,
            request: RequestId::from_bits(1),
            now: Timestamp::from_ms(0),
            door: Door::Rest,
        },
    })
}
