//! Open sets of words. An answer may hold a word that an older client does not know; it must survive a round trip.

/// Makes an enum of the known words with `Other` for the rest, and its schema: a string with `x-extensible-enum`.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that this version does not know.
            Other(String),
        }

        impl $name {
            /// The words that this version knows.
            pub const KNOWN: &'static [&'static str] = &[$($text,)*];

            /// The word as on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(input)?;
                Ok(Self::from(text.as_ref()))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                crate::word::schema(Self::KNOWN)
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(stringify!($name))
            }
        }
    };
}
pub(crate) use words;

/// Makes `From<model enum>` for words that have the same names.
macro_rules! words_from {
    ($model:path => $name:ident { $($variant:ident),* }) => {
        impl From<$model> for $name {
            fn from(value: $model) -> Self {
                type Model = $model;
                match value {
                    $(Model::$variant => Self::$variant,)*
                }
            }
        }
    };
}
pub(crate) use words_from;

/// A string of which `known` are the words so far.
pub(crate) fn schema(known: &[&'static str]) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    use utoipa::openapi::extensions::ExtensionsBuilder;
    use utoipa::openapi::schema::{ObjectBuilder, Type};

    let extensions = ExtensionsBuilder::new()
        .add("x-extensible-enum", known.to_vec())
        .build();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(format!(
            "One of `{}`. Open: more words may come, clients keep those they do not know.",
            known.join("`, `")
        )))
        .examples(known.iter().take(1).copied())
        .extensions(Some(extensions))
        .into()
}
