use std::fmt;
use std::str::FromStr;

use crate::limit;
use crate::text::as_text;

/// Whether `text` is a short name: a lower-case letter, then letters, digits, `_` and `-`.
fn is_short_name(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    text.len() <= limit::FLOW_NAME_BYTES_MAX
        && text.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && text.bytes().all(is_inner)
}

macro_rules! short_names {
    ($($(#[$doc:meta])* $name:ident: $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text of the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if is_short_name(text) {
                    return Ok(Self(text.to_owned()));
                }
                Err(concat!(
                    $what,
                    " is a lower-case letter and then at most 63 letters, digits, `_` and `-`"
                ))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        as_text!($name);
    )*};
}

short_names! {
    /// The name of a flow, unique in its tenant.
    FlowName: "the name of a flow";
    /// The id of a step, unique in its flow.
    StepId: "the id of a step";
    /// The name of a parameter, unique in its flow.
    ParamName: "the name of a parameter";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        assert!("partner-csv".parse::<FlowName>().is_ok());
        assert!("a".repeat(64).parse::<StepId>().is_ok());
        for text in ["", "1a", "A", "a b", "a.b", "a/b", "ä", &"a".repeat(65)] {
            assert!(text.parse::<StepId>().is_err(), "{text:?}");
        }
    }
}
