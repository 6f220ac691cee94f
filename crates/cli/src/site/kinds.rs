//! The kinds of things that site files tell of, one table each. Everything else in this folder is the same for all.

use serde_json::{Value, json};

/// A kind: where the API has it, what names one, and which fields a file may hold.
#[derive(Debug)]
pub struct Kind {
    /// What it is called in a file.
    pub plural: &'static str,
    /// What one of them is called.
    pub noun: &'static str,
    /// Where the API has it.
    pub path: &'static str,
    /// The member that is its id; empty if there is just one thing.
    pub id: &'static str,
    /// The fields that name one of them among its kind.
    pub key: &'static [&'static str],
    /// Whether the thing as the API shows it is out of service for ever, and thus not there.
    pub is_gone: fn(&Value) -> bool,
    /// The member of the answer to its creation that is shown this once.
    pub shown_once: Option<&'static str>,
    /// How the API changes one.
    pub update: Update,
    /// All its fields.
    pub fields: &'static [Field],
}

/// How the API changes a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// By a merge patch.
    Patch,
    /// By putting a whole one in its place.
    Put,
}

/// A field of a kind.
#[derive(Debug)]
pub struct Field {
    /// Its name in a file, and but for references on the wire.
    pub name: &'static str,
    /// What it holds.
    pub form: Form,
    /// What it means when a file leaves it out.
    pub absent: Absent,
    /// When it can be set.
    pub time: Time,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Any value, compared as it is.
    Plain,
    /// A list whose order has no meaning.
    Set,
    /// A text; a file may refer to it as `{file: PATH}`.
    Text,
    /// An object with no members but these.
    Object(&'static [&'static str]),
    /// An object of whose members the server fills in what is left out: only what a file says is compared.
    Part,
    /// A secret: `{env: NAME}` or `{file: PATH}` in a file. The API shows only whether there is one, in this member.
    Secret(&'static str),
    /// Another thing, of one of these kinds: `{KIND: NAME}` in a file. The API has its id in this member.
    Reference(&'static str, &'static [&'static Kind]),
    /// A switch, which the API shows as whether this member holds something.
    Switch(&'static str),
    /// A value, or null for never, which can be said only once the thing is there.
    OrNever,
}

/// What a field means when a file leaves it out.
#[derive(Clone, Copy, Debug)]
pub enum Absent {
    /// A file cannot.
    Required,
    /// This value.
    Is(Usual),
    /// Whatever it is at the server.
    AsItIs,
}

/// A usual value.
#[derive(Clone, Copy, Debug)]
pub enum Usual {
    /// Nothing.
    Null,
    /// A switch.
    Switch(bool),
    /// A number.
    Number(u64),
    /// A word.
    Word(&'static str),
    /// An empty list.
    Nobody,
    /// An empty object.
    Bare,
}

/// When a field can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// When the thing is made, and later.
    Always,
    /// Only when it is made.
    Once,
    /// Only once it is there.
    Later,
}

impl Usual {
    /// As a value.
    pub fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Switch(is_on) => Value::Bool(is_on),
            Self::Number(number) => number.into(),
            Self::Word(word) => word.into(),
            Self::Nobody => json!([]),
            Self::Bare => json!({}),
        }
    }
}

impl Field {
    /// Its name on the wire.
    pub fn wire(&self) -> &'static str {
        match self.form {
            Form::Reference(wire, _) => wire,
            _ => self.name,
        }
    }
}

impl Kind {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether there is just one, which is always there.
    pub fn is_single(&self) -> bool {
        self.id.is_empty()
    }
}

/// The kind of this name in a file.
pub fn kind(plural: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.plural == plural)
}

fn never(_: &Value) -> bool {
    false
}

fn is_spent(key: &Value) -> bool {
    key.get("state").and_then(Value::as_str) != Some("active")
}

/// What stands in a flow's document comes and goes with that.
fn stands_in_flow(schedule: &Value) -> bool {
    schedule.get("stands_in").is_some_and(Value::is_string)
}

const fn field(name: &'static str, form: Form, absent: Absent) -> Field {
    Field {
        name,
        form,
        absent,
        time: Time::Always,
    }
}

const fn needed(name: &'static str, form: Form) -> Field {
    field(name, form, Absent::Required)
}

const fn maybe(name: &'static str) -> Field {
    field(name, Form::Plain, Absent::Is(Usual::Null))
}

const fn by_server(name: &'static str) -> Field {
    field(name, Form::Plain, Absent::AsItIs)
}

const fn secret(name: &'static str, shown: &'static str) -> Field {
    field(name, Form::Secret(shown), Absent::Is(Usual::Null))
}

const fn text(name: &'static str) -> Field {
    field(name, Form::Text, Absent::Is(Usual::Null))
}

const fn set(name: &'static str) -> Field {
    field(name, Form::Set, Absent::Is(Usual::Nobody))
}

/// A field that is set when the thing is made and never after.
const fn once(field: Field) -> Field {
    Field {
        time: Time::Once,
        ..field
    }
}

/// A field that is set once the thing is there.
const fn later(field: Field) -> Field {
    Field {
        time: Time::Later,
        ..field
    }
}

/// All kinds, each after those that its things may refer to.
pub const ALL: &[&Kind] = &[
    &SETTINGS,
    &USERS,
    &SERVICE_ACCOUNTS,
    &API_KEYS,
    &REMOTES,
    &CALENDARS,
    &SCHEDULES,
    &ALERT_RULES,
    &WEBHOOKS,
];

/// Their names in a file.
pub const KINDS: [&str; ALL.len()] = {
    let mut names = [""; ALL.len()];
    let mut at = 0;
    while at < ALL.len() {
        #[expect(
            clippy::indexing_slicing,
            reason = "bounded by the loop, and decided while compiling"
        )]
        {
            names[at] = ALL[at].plural;
        }
        at += 1;
    }
    names
};

const SETTINGS: Kind = Kind {
    plural: "settings",
    noun: "settings",
    path: "/settings",
    id: "",
    key: &[],
    is_gone: never,
    shown_once: None,
    update: Update::Patch,
    fields: &[
        maybe("name_rule"),
        maybe("refuse_type_mismatch"),
        maybe("require_if_match"),
        maybe("trash_seconds"),
    ],
};

const PRINCIPAL: &[Field] = &[
    needed("name", Form::Plain),
    set("roles"),
    later(field(
        "state",
        Form::Plain,
        Absent::Is(Usual::Word("active")),
    )),
];

const USERS: Kind = Kind {
    plural: "users",
    noun: "user",
    path: "/users",
    id: "user_id",
    key: &["name"],
    is_gone: never,
    shown_once: None,
    update: Update::Patch,
    fields: PRINCIPAL,
};

const SERVICE_ACCOUNTS: Kind = Kind {
    plural: "service_accounts",
    noun: "service_account",
    path: "/service-accounts",
    id: "service_account_id",
    key: &["name"],
    is_gone: never,
    shown_once: None,
    update: Update::Patch,
    fields: PRINCIPAL,
};

const API_KEYS: Kind = Kind {
    plural: "api_keys",
    noun: "api_key",
    path: "/api-keys",
    id: "key_id",
    key: &["principal", "name"],
    is_gone: is_spent,
    shown_once: Some("api_key"),
    update: Update::Patch,
    fields: &[
        needed("name", Form::Plain),
        once(needed(
            "principal",
            Form::Reference("principal_id", &[&USERS, &SERVICE_ACCOUNTS]),
        )),
        needed("scopes", Form::Set),
        set("path_prefixes"),
        set("allowed_networks"),
        field("expires_at", Form::OrNever, Absent::AsItIs),
        field(
            "limits",
            Form::Object(&["reads_per_minute", "writes_per_minute"]),
            Absent::Is(Usual::Bare),
        ),
    ],
};

const REMOTES: Kind = Kind {
    plural: "remotes",
    noun: "remote",
    path: "/remotes",
    id: "remote_id",
    key: &["name"],
    is_gone: never,
    shown_once: None,
    update: Update::Patch,
    fields: &[
        needed("name", Form::Plain),
        once(needed("kind", Form::Plain)),
        maybe("host"),
        by_server("port"),
        maybe("username"),
        maybe("host_key"),
        by_server("base_path"),
        by_server("mode"),
        maybe("url"),
        maybe("header_name"),
        by_server("can_write"),
        by_server("method"),
        by_server("endpoint"),
        maybe("region"),
        maybe("bucket"),
        maybe("account"),
        maybe("container"),
        maybe("access_key_id"),
        by_server("path_style"),
        maybe("server_side_encryption"),
        maybe("kms_key_id"),
        maybe("storage_class"),
        by_server("sends_checksums"),
        maybe("folder"),
        maybe("proxy_url"),
        text("ca_pem"),
        text("client_certificate"),
        field("concurrency", Form::Plain, Absent::Is(Usual::Number(4))),
        by_server("health_check_seconds"),
        by_server("time_zone"),
        field("windows", Form::Plain, Absent::Is(Usual::Nobody)),
        secret("password", "has_password"),
        secret("private_key", "has_private_key"),
        secret("previous_private_key", "has_previous_private_key"),
        secret("passphrase", "has_passphrase"),
        secret("bearer_token", "has_bearer_token"),
        secret("header_value", "has_header_value"),
        secret("api_key", "has_api_key"),
        secret("secret_access_key", "has_secret_access_key"),
        secret("session_token", "has_session_token"),
        secret("account_key", "has_account_key"),
        secret("sas_token", "has_sas_token"),
        secret("service_account_key", "has_service_account_key"),
        secret("client_key", "has_client_key"),
    ],
};

const WEBHOOKS: Kind = Kind {
    plural: "webhooks",
    noun: "webhook",
    path: "/webhooks",
    id: "webhook_id",
    key: &["url"],
    is_gone: never,
    shown_once: Some("secret"),
    update: Update::Patch,
    fields: &[
        needed("url", Form::Plain),
        needed("types", Form::Set),
        field(
            "filters",
            Form::Object(&["path_prefix", "remote", "tag"]),
            Absent::Is(Usual::Bare),
        ),
        field("payload", Form::Plain, Absent::Is(Usual::Word("thin"))),
        field("format", Form::Plain, Absent::Is(Usual::Word("bailee"))),
        field("ordering", Form::Plain, Absent::Is(Usual::Word("none"))),
        field("body_hmac", Form::Plain, Absent::Is(Usual::Switch(true))),
        field(
            "ed25519",
            Form::Switch("public_key"),
            Absent::Is(Usual::Switch(false)),
        ),
        field(
            "limits",
            Form::Object(&["per_second", "concurrency"]),
            Absent::Is(Usual::Bare),
        ),
    ],
};

const CALENDARS: Kind = Kind {
    plural: "calendars",
    noun: "calendar",
    path: "/calendars",
    id: "calendar_id",
    key: &["name"],
    is_gone: never,
    shown_once: None,
    update: Update::Put,
    fields: &[
        needed("name", Form::Plain),
        maybe("description"),
        field("working_days", Form::Set, Absent::AsItIs),
        set("holidays"),
    ],
};

const SCHEDULES: Kind = Kind {
    plural: "schedules",
    noun: "schedule",
    path: "/schedules",
    id: "schedule_id",
    key: &["name"],
    is_gone: stands_in_flow,
    shown_once: None,
    update: Update::Put,
    fields: &[
        needed("name", Form::Plain),
        maybe("description"),
        needed("cron", Form::Plain),
        field("time_zone", Form::Plain, Absent::Is(Usual::Word("UTC"))),
        field(
            "calendar",
            Form::Reference("calendar_id", &[&CALENDARS]),
            Absent::Is(Usual::Null),
        ),
        field(
            "day_rule",
            Form::Plain,
            Absent::Is(Usual::Word("every_day")),
        ),
        maybe("window"),
        maybe("starts_at"),
        maybe("ends_at"),
        field("jitter_seconds", Form::Plain, Absent::Is(Usual::Number(0))),
        field("misfire", Form::Part, Absent::AsItIs),
        field("transfer", Form::Part, Absent::AsItIs),
        field("flow", Form::Part, Absent::AsItIs),
        maybe("deadline_seconds"),
    ],
};

const ALERT_RULES: Kind = Kind {
    plural: "alert_rules",
    noun: "alert_rule",
    path: "/alert-rules",
    id: "alert_rule_id",
    key: &["name"],
    is_gone: never,
    shown_once: None,
    update: Update::Put,
    fields: &[
        needed("name", Form::Plain),
        maybe("description"),
        once(needed("kind", Form::Plain)),
        field("severity", Form::Plain, Absent::Is(Usual::Word("warning"))),
        field("enabled", Form::Plain, Absent::Is(Usual::Switch(true))),
        set("recipients"),
        field("expected_file", Form::Part, Absent::Is(Usual::Null)),
        field("threshold", Form::Part, Absent::Is(Usual::Null)),
        field("absence", Form::Part, Absent::Is(Usual::Null)),
        field("rate", Form::Part, Absent::Is(Usual::Null)),
        field("first_seen", Form::Part, Absent::Is(Usual::Null)),
        field("expiry", Form::Part, Absent::Is(Usual::Null)),
        field("health", Form::Part, Absent::Is(Usual::Null)),
        field("escalation", Form::Part, Absent::Is(Usual::Null)),
    ],
};

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    /// The fields that a request may hold, of all variants of its body.
    fn fields_of(document: &Value, kind: &Kind) -> Vec<String> {
        let method = if kind.is_single() { "patch" } else { "post" };
        let path = kind.path.replace('/', "~1");
        let body = "requestBody/content/application~1json/schema";
        let schema = document.pointer(&format!("/paths/{path}/{method}/{body}"));
        let mut open = vec![schema.unwrap()];
        let mut fields = Vec::new();
        while let Some(schema) = open.pop() {
            if let Some(Value::String(to)) = schema.get("$ref") {
                open.push(document.pointer(to.trim_start_matches('#')).unwrap());
            }
            if let Some(Value::Array(variants)) = schema.get("oneOf") {
                open.extend(variants);
            }
            if let Some(Value::Object(properties)) = schema.get("properties") {
                fields.extend(properties.keys().cloned());
            }
        }
        fields
    }

    #[test]
    fn the_tables_have_all_fields_of_the_api() {
        let document = include_str!("../../../../openapi.json");
        let document: Value = serde_json::from_str(document).unwrap();
        for kind in ALL {
            let known: Vec<_> = kind.fields.iter().map(Field::wire).collect();
            let fields = fields_of(&document, kind);
            assert!(!fields.is_empty(), "{}", kind.plural);
            for field in fields {
                assert!(known.contains(&field.as_str()), "{}.{field}", kind.plural);
            }
            for name in kind.key {
                assert!(kind.field(name).is_some(), "{}.{name}", kind.plural);
            }
        }
    }
}
