//! The kinds of things that site files tell of, one table each. Everything else in this folder is the same for all.

mod tables;

use serde_json::{Value, json};

/// A kind: where the API has it, what names one, and which fields a file may hold.
#[derive(Debug)]
pub struct Kind {
    /// What it is called in a file.
    pub plural: &'static str,
    /// What one of them is called.
    pub noun: &'static str,
    /// Where the API has them. Those that are within another thing have the member with its id in braces.
    pub path: &'static str,
    /// The member that is its id; empty if there is just one thing.
    pub id: &'static str,
    /// The fields that name one of them among its kind.
    pub key: &'static [&'static str],
    /// Whether the thing as the API shows it is out of service for ever, and thus not there.
    pub is_gone: fn(&Value) -> bool,
    /// Which of them no file can tell of.
    pub withheld: Option<Withheld>,
    /// Behind the path of one, where the API has members that its list leaves out.
    pub details: Option<&'static str>,
    /// The member of the answer to its creation that is shown this once.
    pub shown_once: Option<&'static str>,
    /// How the API changes one.
    pub update: Update,
    /// All its fields.
    pub fields: &'static [Field],
}

/// Things of a kind that no file can tell of: they are neither exported nor changed nor removed.
#[derive(Clone, Copy, Debug)]
pub struct Withheld {
    /// Whether a thing is one.
    pub is: fn(&Value) -> bool,
    /// Why, and what to do instead.
    pub why: &'static str,
}

/// How the API changes a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// By a merge patch.
    Patch,
    /// By putting a whole one in its place.
    Put,
    /// By putting a whole one in its place, but for fields that are set later: these by a merge patch.
    PutAndPatch,
}

/// A member inside of a value that has the id of another thing on the wire, and `{KIND: NAME}` in a file.
pub type Inner = (&'static str, &'static Kind);

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
    Part(&'static [Inner]),
    /// A document, which the API takes as the body itself, with the thing's name in it; a file may refer to it as
    /// `{file: PATH}`.
    Document(&'static [Inner]),
    /// A public key of OpenPGP, armored; a file may refer to it as `{file: PATH}`. The API shows it in this member.
    Armored(&'static str),
    /// A secret: `{env: NAME}` or `{file: PATH}` in a file. The API shows only whether there is one, in this member.
    Secret(&'static str),
    /// The same, or a secret that is a thing of its own: `{secret: NAME}` in a file.
    Credential(&'static str),
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
    /// When it is made; later by a call of its own, `POST …/refresh`.
    Refreshed,
}

impl Form {
    /// Whether it is a secret.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Secret(_) | Self::Credential(_))
    }

    /// The members inside that name other things.
    pub fn inner(self) -> &'static [Inner] {
        match self {
            Self::Part(inner) | Self::Document(inner) => inner,
            _ => &[],
        }
    }

    /// Whether such a field may name things of a kind.
    pub fn refers_to(self, kind: &Kind) -> bool {
        let is_it = |other: &Kind| other.plural == kind.plural;
        match self {
            Self::Reference(_, kinds) => kinds.iter().any(|kind| is_it(kind)),
            Self::Credential(_) => is_it(&tables::SECRETS),
            other => other.inner().iter().any(|(_, kind)| is_it(kind)),
        }
    }
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

    /// The field that names the thing in which it is, if it is within one.
    pub fn parent(&self) -> Option<&'static Field> {
        let (_, member) = self.path.split_once('{')?;
        let (member, _) = member.split_once('}')?;
        self.fields.iter().find(|field| field.wire() == member)
    }

    /// Where the API has those within the thing of this id.
    pub fn collection(&self, parent: &str) -> String {
        match (self.path.split_once('{'), self.path.split_once('}')) {
            (Some((before, _)), Some((_, behind))) => format!("{before}{parent}{behind}"),
            _ => self.path.to_owned(),
        }
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

/// All kinds, each after those that its things may refer to.
pub const ALL: &[&Kind] = &[
    &tables::SETTINGS,
    &tables::USERS,
    &tables::SERVICE_ACCOUNTS,
    &tables::API_KEYS,
    &tables::SECRETS,
    &tables::REMOTES,
    &tables::PGP_KEYS,
    &tables::CALENDARS,
    &tables::WEBHOOKS,
    &tables::FLOWS,
    &tables::SCHEDULES,
    &tables::ALERT_RULES,
    &tables::CHANNELS,
    &tables::SUBSCRIBERS,
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
        let document = include_str!("../../../../../openapi.json");
        let document: Value = serde_json::from_str(document).unwrap();
        for kind in ALL {
            let known: Vec<_> = kind.fields.iter().map(Field::wire).collect();
            let fields = fields_of(&document, kind);
            // What a document may hold is known to the server alone.
            let is_document = |field: &Field| matches!(field.form, Form::Document(_));
            assert_eq!(
                fields.is_empty(),
                kind.fields.iter().any(is_document),
                "{}",
                kind.plural
            );
            for field in fields {
                // A key with a passphrase is none that a file may hold.
                let is_known = known.contains(&field.as_str());
                let is_left_out = field == "passphrase" && kind.plural == "pgp_keys";
                assert!(is_known || is_left_out, "{}.{field}", kind.plural);
            }
            for name in kind.key {
                assert!(kind.field(name).is_some(), "{}.{name}", kind.plural);
            }
        }
    }
}
