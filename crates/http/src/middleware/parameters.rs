use axum::extract::Request;
use bailee_model::{Error, ErrorKind};

use crate::limit::ECHO_CHARS_MAX;
use crate::operations::Operation;

/// Refuses query parameters that the API document does not name for the operation, and repeated ones: a typo never
/// means "all".
pub(super) fn known(request: &Request, operation: &Operation) -> Result<(), Error> {
    let query = request.uri().query().unwrap_or_default();
    check(query, &operation.query)
}

fn check(query: &str, names: &[String]) -> Result<(), Error> {
    let mut seen = std::collections::HashSet::new();
    for (name, _) in url::form_urlencoded::parse(query.as_bytes()) {
        if !names.iter().any(|known| *known == name) {
            return Err(unknown(&name, names));
        }
        if !seen.insert(name.clone()) {
            let detail = format!("The parameter `{name}` is given twice.");
            return Err(
                Error::new(ErrorKind::InvalidParameter, detail.clone()).with_field(
                    &format!("#/{name}"),
                    "repeated",
                    detail,
                ),
            );
        }
    }
    Ok(())
}

fn unknown(name: &str, names: &[String]) -> Error {
    let shown: String = name.chars().take(ECHO_CHARS_MAX).collect();
    let nearest = names
        .iter()
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let detail = match nearest {
        None => format!("`{shown}` is not known here; this operation has no parameters."),
        Some((_, known)) => {
            format!("The parameter `{shown}` is not known here; did you mean `{known}`?")
        }
    };
    let pointer = format!("#/{}", shown.replace('~', "~0").replace('/', "~1"));
    Error::new(ErrorKind::UnknownParameter, detail.clone()).with_field(&pointer, "unknown", detail)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn a_typo_is_named_with_its_nearest_neighbour() {
        let names = ["limit".to_owned(), "cursor".to_owned(), "state".to_owned()];
        check("limit=1&state=failed", &names).unwrap();
        let error = check("stat=failed", &names).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownParameter);
        assert!(error.detail().contains("`state`"), "{}", error.detail());
        let error = check("limit=1&limit=2", &names).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert!(check("x=1", &[]).is_err());
        check("", &[]).unwrap();
    }
}
