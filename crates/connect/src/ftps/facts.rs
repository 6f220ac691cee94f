//! Facts about files as `MLST` and `MLSD` write them: `type=file;size=5;modify=20261122051226; name`.

use super::listing::{Line, time};
use crate::connector::{EntryKind, RemoteEntry};

/// One line of `MLSD`.
pub(super) fn listed(line: &str) -> Line {
    if line.is_empty() {
        return Line::Aside;
    }
    let Some((facts, name)) = line.split_once(' ') else {
        return Line::Unreadable;
    };
    match fact(facts, "type") {
        Some(kind)
            if ["cdir", "pdir"]
                .iter()
                .any(|own| kind.eq_ignore_ascii_case(own)) =>
        {
            Line::Aside
        }
        Some(_) if !matches!(name, "." | "..") => Line::Entry(entry(facts, name)),
        Some(_) => Line::Aside,
        None => Line::Unreadable,
    }
}

/// The entry `name` by its facts.
pub(super) fn entry(facts: &str, name: &str) -> RemoteEntry {
    let kind = match fact(facts, "type").map(str::to_ascii_lowercase).as_deref() {
        Some("file") => EntryKind::File,
        Some("dir" | "cdir" | "pdir") => EntryKind::Folder,
        Some(other) if other.contains("link") => EntryKind::Link,
        _ => EntryKind::Other,
    };
    RemoteEntry {
        name: name.to_owned(),
        kind,
        size_bytes: fact(facts, "size")
            .and_then(|size| size.parse().ok())
            .filter(|_| kind == EntryKind::File),
        modified: fact(facts, "modify").and_then(time),
        version: None,
    }
}

fn fact<'a>(facts: &'a str, name: &str) -> Option<&'a str> {
    facts
        .split(';')
        .filter_map(|fact| fact.split_once('='))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_in_any_case_and_order() {
        let Line::Entry(found) =
            listed("Size=5;TYPE=file;Modify=20261122051226;UNIX.mode=0644;  a b")
        else {
            unreachable!()
        };
        assert_eq!(
            (found.name.as_str(), found.kind, found.size_bytes),
            (" a b", EntryKind::File, Some(5))
        );
        assert!(found.modified.is_some());
        let Line::Entry(link) = listed("type=OS.unix=slink:/etc/x;size=9; l") else {
            unreachable!()
        };
        assert_eq!((link.kind, link.size_bytes), (EntryKind::Link, None));
    }

    #[test]
    fn the_folder_itself_and_nonsense_are_left_out() {
        for line in [
            "",
            "type=cdir;modify=20261122051226; /x",
            "type=pdir; ..",
            "type=dir; .",
        ] {
            assert!(matches!(listed(line), Line::Aside), "{line}");
        }
        for line in ["nonsense", "a b", "size=5; x", "type; x"] {
            assert!(matches!(listed(line), Line::Unreadable), "{line}");
        }
    }
}
