//! `Content-Disposition` (RFC 6266): a name for the file, in ASCII for old clients and in full for others.

use std::fmt::Write as _;

/// `attachment` with the name. The full form is added only where the plain one cannot hold it.
pub(super) fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    if plain == name {
        return format!("attachment; filename=\"{plain}\"");
    }
    let mut full = String::with_capacity(name.len() * 3);
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            full.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(full, "%{byte:02X}");
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}")
}

/// Whether a character stands for itself between quotes. Some clients decode `%`, so it does not.
fn is_plain(c: char) -> bool {
    (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | '%')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_simple_name_stays_simple() {
        assert_eq!(
            attachment("report.csv"),
            "attachment; filename=\"report.csv\""
        );
    }

    #[test]
    fn other_names_are_given_twice() {
        assert_eq!(
            attachment("a\"ü%.txt"),
            "attachment; filename=\"a___.txt\"; filename*=UTF-8''a%22%C3%BC%25.txt"
        );
    }

    proptest! {
        #[test]
        fn no_name_breaks_out_of_its_header(name in "\\PC{1,60}") {
            let value = attachment(&name);
            prop_assert!(http::HeaderValue::from_str(&value).is_ok());
            prop_assert_eq!(value.matches('"').count(), 2);
        }
    }
}
