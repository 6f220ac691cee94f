//! No word with two meanings: what docs/glossary.md tells us not to say does not name things.
//!
//! Only what we declare is looked at; libraries name their things as they like, and a method of a foreign trait is an exception.

use super::Finding;
use super::exceptions::Exceptions;
use super::source::{Source, occurrences};

/// A word not to say, and the one to say.
const BARRED: [(&str, &str); 12] = [
    ("dto", "command, or the noun itself"),
    ("dialect", "database"),
    ("driver", "connector"),
    ("plugin", "connector"),
    ("workflow", "flow"),
    ("pipeline", "flow"),
    ("directory", "folder"),
    ("org", "tenant"),
    ("actor", "principal"),
    ("chunk", "part (an upload), segment (a blob)"),
    ("helper", "what it helps to do"),
    ("misc", "what is in it"),
];

/// Floors with a vocabulary of their own, where a chunk is a chunk and a pipeline is not a flow.
const TECHNICAL: [&str; 3] = ["crates/vault/", "crates/connect/", "crates/store/src/db/"];

/// What declares a name.
const DECLARERS: [&str; 8] = [
    "fn", "struct", "enum", "trait", "type", "mod", "const", "static",
];

pub fn check(sources: &[Source], _: &Exceptions) -> Vec<Finding> {
    sources
        .iter()
        .filter(|source| source.path.starts_with("crates/"))
        .flat_map(one)
        .collect()
}

fn one(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for declarer in DECLARERS {
        for offset in occurrences(&source.code, declarer) {
            let name = name_after(&source.code, offset + declarer.len());
            let line = source.line_of(offset);
            if declarer == "fn" && name.starts_with("get_") {
                findings.push(Finding {
                    path: source.path.clone(),
                    line,
                    rule: "words",
                    message: format!("`{name}` begins with `get_`"),
                    fix: "name it by what it gives",
                });
            }
            if TECHNICAL.iter().any(|place| source.path.starts_with(place)) {
                continue;
            }
            let words = words_of(name);
            let barred = BARRED
                .iter()
                .filter(|(word, _)| words.iter().any(|part| part == word));
            findings.extend(barred.map(|(word, instead)| Finding {
                path: source.path.clone(),
                line,
                rule: "words",
                message: format!("`{name}` says `{word}`; here it is {instead}"),
                fix: "use the word of docs/glossary.md",
            }));
        }
    }
    findings
}

fn name_after(code: &str, offset: usize) -> &str {
    let rest = code.get(offset..).unwrap_or_default();
    let trimmed = rest.trim_start();
    if trimmed.len() == rest.len() {
        return "";
    }
    let end = trimmed
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(trimmed.len());
    trimmed.get(..end).unwrap_or_default()
}

/// `RetryPlan`, `retry_plan` and `RETRY_PLAN` are all `retry`, `plan`; a plural is its singular.
fn words_of(name: &str) -> Vec<String> {
    let is_shouted = !name.chars().any(char::is_lowercase);
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && !is_shouted) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c != '_', words.last_mut()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
        .into_iter()
        .map(|word| word.strip_suffix('s').map(str::to_owned).unwrap_or(word))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        check(
            &[Source::new("crates/a/src/lib.rs", text)],
            &Exceptions::parse(""),
        )
        .len()
    }

    #[test]
    fn barred_words_in_declared_names_are_found() {
        assert_eq!(count("struct FileDto;\n"), 1);
        assert_eq!(count("fn list_directory() {}\n"), 1);
        assert_eq!(count("const CHUNKS_MAX: usize = 1;\n"), 1);
        assert_eq!(count("fn get_file() {}\n"), 1);
    }

    #[test]
    fn floors_without_flows_and_uploads_have_their_own_words() {
        let sources = [Source::new(
            "crates/vault/src/seal.rs",
            "struct Pipeline;\nfn get_it() {}\n",
        )];
        assert_eq!(check(&sources, &Exceptions::parse("")).len(), 1);
    }

    #[test]
    fn longer_words_and_foreign_names_are_not() {
        assert_eq!(
            count("struct Organised;\nfn a() { bytes.chunk(); }\nfn target_of() {}\n"),
            0
        );
    }
}
