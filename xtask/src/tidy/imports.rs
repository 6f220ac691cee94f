//! Three import blocks at the head of a file: the standard library, other crates, our own modules. Test programs, which are all
//! imports of one kit, may be looser.

use super::Finding;
use super::exceptions::Exceptions;
use super::source::Source;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Standard,
    Other,
    Own,
}

pub fn check(sources: &[Source], _: &Exceptions) -> Vec<Finding> {
    let product = sources.iter().filter(|source| !source.is_test_file());
    product.filter_map(finding).collect()
}

fn finding(source: &Source) -> Option<Finding> {
    let modules: Vec<&str> = source.code.lines().filter_map(module).collect();
    let mut last: Option<Origin> = None;
    let mut is_new_block = true;
    for (index, line) in source.code.lines().enumerate() {
        if let Some(origin) = origin(line, &modules) {
            let is_wrong = last.is_some_and(|last| origin < last || origin > last && !is_new_block);
            if is_wrong {
                return Some(Finding {
                    path: source.path.clone(),
                    line: index + 1,
                    rule: "imports",
                    message: "an import stands in another's block".to_owned(),
                    fix: "std, then other crates, then ours, with an empty line between",
                });
            }
            last = Some(origin);
            is_new_block = false;
        } else if line.trim().is_empty() {
            is_new_block = true;
        } else if is_item(line) {
            return None;
        }
    }
    None
}

/// The name in `mod name;`.
fn module(line: &str) -> Option<&str> {
    let (head, name) = line.strip_suffix(';')?.rsplit_once(' ')?;
    (head == "mod" || head.ends_with(" mod")).then_some(name)
}

/// Of a private import; those that are passed on stand where the public is told.
fn origin(line: &str, modules: &[&str]) -> Option<Origin> {
    let path = line.strip_prefix("use ")?.trim_start_matches("::");
    let first = path.split([':', ';', ' ']).next()?;
    Some(match first {
        "std" | "core" | "alloc" => Origin::Standard,
        "crate" | "super" | "self" => Origin::Own,
        name if modules.contains(&name) => Origin::Own,
        _ => Origin::Other,
    })
}

/// Imports stand before the first item.
fn is_item(line: &str) -> bool {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    [
        "const ", "static ", "fn ", "async ", "struct ", "enum ", "impl", "trait ", "type ",
    ]
    .iter()
    .any(|word| line.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        let sources = [Source::new("crates/a/src/lib.rs", text)];
        check(&sources, &Exceptions::parse("")).len()
    }

    #[test]
    fn three_blocks_in_order_are_good() {
        let text = "mod own;\n\nuse std::fs;\n\nuse anyhow::{\n    Result,\n    bail,\n};\nuse zip::Zip;\n\n\
                    use crate::a;\nuse own::B;\n\nfn a() {\n    use std::mem;\n}\n";
        assert_eq!(count(text), 0);
    }

    #[test]
    fn what_is_mixed_or_out_of_order_is_found() {
        assert_eq!(count("use anyhow::Result;\nuse std::fs;\n"), 1);
        assert_eq!(count("use std::fs;\nuse anyhow::Result;\n"), 1);
        assert_eq!(count("use crate::a;\n\nuse anyhow::Result;\n"), 1);
    }
}
