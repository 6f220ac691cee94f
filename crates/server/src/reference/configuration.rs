//! The settings, from the defaults file that the program carries.

use std::fmt::Write as _;

use crate::config::DEFAULTS;

const HEAD: &str = "\
## Where settings come from

Four places are read; a later one wins:

1. the defaults below;
2. the file: `/etc/bailee/bailee.toml`, or the one named with `--config`;
3. the environment: `BAILEE__SECTION__KEY`, for example `BAILEE__LIMITS__CONNECTIONS=500`;
4. flags: `--set section.key=value`, for example `--set limits.connections=500`.

An unknown key is an error that names the nearest known one. Secrets are never written into the file: a setting ending in
`_file` names a file that holds the secret, or the environment holds it.

`bailee config check` reads the settings and says what is wrong; `bailee config show --origin` prints each value and
where it comes from.
";

/// Comment lines, and the settings that they stand above.
#[derive(Default)]
struct Group {
    comment: Vec<String>,
    settings: Vec<(String, Option<String>)>,
}

pub(super) fn page() -> String {
    let mut page = format!("# Configuration\n\n{}\n\n{HEAD}", super::MADE);
    let mut group = Group::default();
    let mut section = None;
    for line in DEFAULTS.lines() {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            flush(&mut page, &mut group, section);
            section = Some(name);
            let _ = write!(
                page,
                "\n## `[{name}]`\n\n| Setting | Default | Meaning |\n|---|---|---|\n"
            );
        } else if section.is_some() {
            read(&mut page, &mut group, section, line);
        }
    }
    flush(&mut page, &mut group, section);
    page
}

fn read(page: &mut String, group: &mut Group, section: Option<&str>, line: &str) {
    let comment = line.strip_prefix("# ");
    match (comment, setting(comment.unwrap_or(line))) {
        // An example in a comment shows a setting without a default.
        (Some(_), Some((key, _))) => group.settings.push((key, None)),
        (None, Some((key, value))) => group.settings.push((key, Some(value))),
        (Some(text), None) => {
            if !group.settings.is_empty() {
                flush(page, group, section);
            }
            group.comment.push(text.to_owned());
        }
        (None, None) => flush(page, group, section),
    }
}

/// `key = value`, where the key is one word in lower case.
fn setting(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once(" = ")?;
    let is_key = key
        .chars()
        .all(|letter| letter.is_ascii_lowercase() || letter == '_');
    is_key.then(|| (key.to_owned(), value.to_owned()))
}

fn flush(page: &mut String, group: &mut Group, section: Option<&str>) {
    let Group { comment, settings } = std::mem::take(group);
    let Some(section) = section.filter(|_| !settings.is_empty()) else {
        return;
    };
    let keys: Vec<_> = settings
        .iter()
        .map(|(key, _)| format!("`{section}.{key}`"))
        .collect();
    let values: Vec<_> = settings
        .iter()
        .map(|(_, value)| {
            value
                .as_ref()
                .map_or("none".to_owned(), |value| format!("`{value}`"))
        })
        .collect();
    let _ = writeln!(
        page,
        "| {} | {} | {} |",
        keys.join("<br>"),
        super::cell(&values.join("<br>")),
        super::cell(&comment.join(" "))
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_has_a_row_with_a_meaning() {
        let page = page();
        let defaults: toml::Table = DEFAULTS.parse().unwrap_or_default();
        assert!(!defaults.is_empty());
        for (section, keys) in &defaults {
            for key in keys.as_table().into_iter().flat_map(toml::Table::keys) {
                let name = format!("`{section}.{key}`");
                let row = page.lines().find(|line| line.contains(&name));
                assert!(row.is_some_and(|row| !row.ends_with("|  |")), "{name}");
            }
        }
    }

    #[test]
    fn a_setting_without_a_default_has_a_row() {
        assert!(page().contains("`tls.private_key` | `none") || page().contains("none<br>none"));
    }
}
