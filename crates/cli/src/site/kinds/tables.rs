//! The tables.

use serde_json::Value;

use super::{Absent, Field, Form, Kind, Time, Update, Usual, Withheld};

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

const fn credential(name: &'static str, shown: &'static str) -> Field {
    field(name, Form::Credential(shown), Absent::Is(Usual::Null))
}

const fn word(name: &'static str, usual: &'static str) -> Field {
    field(name, Form::Plain, Absent::Is(Usual::Word(usual)))
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

/// What most kinds have.
const USUAL: Kind = Kind {
    plural: "",
    noun: "",
    path: "",
    id: "",
    key: &["name"],
    is_gone: never,
    withheld: None,
    details: None,
    shown_once: None,
    update: Update::Patch,
    fields: &[],
};

pub(super) const SETTINGS: Kind = Kind {
    plural: "settings",
    noun: "settings",
    path: "/settings",
    id: "",
    key: &[],
    fields: &[
        maybe("name_rule"),
        maybe("refuse_type_mismatch"),
        maybe("require_if_match"),
        maybe("trash_seconds"),
    ],
    ..USUAL
};

const PRINCIPAL: &[Field] = &[
    needed("name", Form::Plain),
    set("roles"),
    later(word("state", "active")),
];

pub(super) const USERS: Kind = Kind {
    plural: "users",
    noun: "user",
    path: "/users",
    id: "user_id",
    fields: PRINCIPAL,
    ..USUAL
};

pub(super) const SERVICE_ACCOUNTS: Kind = Kind {
    plural: "service_accounts",
    noun: "service_account",
    path: "/service-accounts",
    id: "service_account_id",
    fields: PRINCIPAL,
    ..USUAL
};

pub(super) const API_KEYS: Kind = Kind {
    plural: "api_keys",
    noun: "api_key",
    path: "/api-keys",
    id: "key_id",
    key: &["principal", "name"],
    is_gone: is_spent,
    shown_once: Some("api_key"),
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
    ..USUAL
};

pub(super) const REMOTES: Kind = Kind {
    plural: "remotes",
    noun: "remote",
    path: "/remotes",
    id: "remote_id",
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
        credential("password", "has_password"),
        credential("private_key", "has_private_key"),
        credential("previous_private_key", "has_previous_private_key"),
        credential("passphrase", "has_passphrase"),
        credential("bearer_token", "has_bearer_token"),
        credential("header_value", "has_header_value"),
        credential("api_key", "has_api_key"),
        credential("secret_access_key", "has_secret_access_key"),
        credential("session_token", "has_session_token"),
        credential("account_key", "has_account_key"),
        credential("sas_token", "has_sas_token"),
        credential("service_account_key", "has_service_account_key"),
        credential("client_key", "has_client_key"),
    ],
    ..USUAL
};

pub(super) const WEBHOOKS: Kind = Kind {
    plural: "webhooks",
    noun: "webhook",
    path: "/webhooks",
    id: "webhook_id",
    key: &["url"],
    shown_once: Some("secret"),
    fields: &[
        needed("url", Form::Plain),
        needed("types", Form::Set),
        field(
            "filters",
            Form::Object(&["path_prefix", "remote", "tag"]),
            Absent::Is(Usual::Bare),
        ),
        word("payload", "thin"),
        word("format", "bailee"),
        word("ordering", "none"),
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
    ..USUAL
};

pub(super) const CALENDARS: Kind = Kind {
    plural: "calendars",
    noun: "calendar",
    path: "/calendars",
    id: "calendar_id",
    update: Update::Put,
    fields: &[
        needed("name", Form::Plain),
        maybe("description"),
        field("working_days", Form::Set, Absent::AsItIs),
        set("holidays"),
    ],
    ..USUAL
};

pub(super) const SCHEDULES: Kind = Kind {
    plural: "schedules",
    noun: "schedule",
    path: "/schedules",
    id: "schedule_id",
    is_gone: stands_in_flow,
    update: Update::Put,
    fields: &[
        needed("name", Form::Plain),
        maybe("description"),
        needed("cron", Form::Plain),
        word("time_zone", "UTC"),
        field(
            "calendar",
            Form::Reference("calendar_id", &[&CALENDARS]),
            Absent::Is(Usual::Null),
        ),
        word("day_rule", "every_day"),
        maybe("window"),
        maybe("starts_at"),
        maybe("ends_at"),
        field("jitter_seconds", Form::Plain, Absent::Is(Usual::Number(0))),
        field("misfire", Form::Part(&[]), Absent::AsItIs),
        field("transfer", Form::Part(&[]), Absent::AsItIs),
        field("flow", Form::Part(&[("flow_id", &FLOWS)]), Absent::AsItIs),
        maybe("deadline_seconds"),
    ],
    ..USUAL
};

pub(super) const ALERT_RULES: Kind = Kind {
    plural: "alert_rules",
    noun: "alert_rule",
    path: "/alert-rules",
    id: "alert_rule_id",
    update: Update::Put,
    fields: &[
        needed("name", Form::Plain),
        maybe("description"),
        once(needed("kind", Form::Plain)),
        word("severity", "warning"),
        field("enabled", Form::Plain, Absent::Is(Usual::Switch(true))),
        set("recipients"),
        field(
            "expected_file",
            Form::Part(&[("calendar_id", &CALENDARS)]),
            Absent::Is(Usual::Null),
        ),
        field("threshold", Form::Part(&[]), Absent::Is(Usual::Null)),
        field("absence", Form::Part(&[]), Absent::Is(Usual::Null)),
        field("rate", Form::Part(&[]), Absent::Is(Usual::Null)),
        field("first_seen", Form::Part(&[]), Absent::Is(Usual::Null)),
        field("expiry", Form::Part(&[]), Absent::Is(Usual::Null)),
        field("health", Form::Part(&[]), Absent::Is(Usual::Null)),
        field("escalation", Form::Part(&[]), Absent::Is(Usual::Null)),
    ],
    ..USUAL
};

pub(super) const SECRETS: Kind = Kind {
    plural: "secrets",
    noun: "secret",
    path: "/secrets",
    id: "secret_id",
    update: Update::Put,
    fields: &[
        needed("name", Form::Plain),
        needed("kind", Form::Plain),
        maybe("variable"),
        maybe("path"),
        maybe("url"),
        by_server("mount"),
        by_server("key"),
        maybe("namespace"),
        text("ca_pem"),
        maybe("endpoint"),
        maybe("region"),
        maybe("secret"),
        maybe("access_key_id"),
        maybe("version"),
        maybe("directory_id"),
        maybe("client_id"),
        maybe("authority_url"),
        secret("value", "has_value"),
        secret("token", "has_token"),
        secret("secret_access_key", "has_secret_access_key"),
        secret("client_secret", "has_client_secret"),
    ],
    ..USUAL
};

fn has_secret(key: &Value) -> bool {
    key.get("has_secret") == Some(&Value::Bool(true))
}

pub(super) const PGP_KEYS: Kind = Kind {
    plural: "pgp_keys",
    noun: "pgp_key",
    path: "/pgp-keys",
    id: "pgp_key_id",
    withheld: Some(Withheld {
        is: has_secret,
        why: "its secret part never comes out; import it where it is wanted with `bailee pgp-key import`",
    }),
    details: Some("/export"),
    fields: &[
        needed("name", Form::Plain),
        Field {
            time: Time::Refreshed,
            ..needed("key", Form::Armored("public_key"))
        },
        field("usage", Form::Set, Absent::AsItIs),
        word("trust", "trusted"),
    ],
    ..USUAL
};

pub(super) const FLOWS: Kind = Kind {
    plural: "flows",
    noun: "flow",
    path: "/flows",
    id: "flow_id",
    update: Update::PutAndPatch,
    fields: &[
        needed("name", Form::Plain),
        later(field(
            "enabled",
            Form::Plain,
            Absent::Is(Usual::Switch(true)),
        )),
        needed("document", Form::Document(&[("webhook", &WEBHOOKS)])),
    ],
    ..USUAL
};

pub(super) const CHANNELS: Kind = Kind {
    plural: "channels",
    noun: "channel",
    path: "/channels",
    id: "channel_id",
    fields: &[
        needed("name", Form::Plain),
        needed("folder", Form::Plain),
        set("include"),
        set("exclude"),
        word("state", "active"),
    ],
    ..USUAL
};

pub(super) const SUBSCRIBERS: Kind = Kind {
    plural: "subscribers",
    noun: "subscriber",
    path: "/channels/{channel_id}/subscribers",
    id: "subscriber_id",
    key: &["channel", "name"],
    fields: &[
        needed("name", Form::Plain),
        once(needed(
            "channel",
            Form::Reference("channel_id", &[&CHANNELS]),
        )),
        // Each of the two takes the place of the other.
        by_server("destination"),
        field(
            "webhook",
            Form::Reference("webhook_id", &[&WEBHOOKS]),
            Absent::AsItIs,
        ),
        set("include"),
        set("exclude"),
        word("on_conflict", "replace"),
        word("verify", "hash"),
        word("state", "active"),
    ],
    ..USUAL
};
