//! Links between the pages of the clone lead somewhere. Links to the outside are not followed: tidy works offline.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Finding;

/// A link in a page: its line and what it names.
type Link = (usize, String);

pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for page in pages(root)? {
        let text =
            fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
        let folder = page.parent().unwrap_or(root);
        let dead = links(&text)
            .into_iter()
            .filter(|(_, target)| !folder.join(target).exists());
        let path = page
            .strip_prefix(root)?
            .to_string_lossy()
            .replace('\\', "/");
        findings.extend(dead.map(|(line, target)| Finding {
            path: path.clone(),
            line,
            rule: "links",
            message: format!("`{target}` is not there"),
            fix: "name the file as it is called now, from the folder of this page",
        }));
    }
    Ok(findings)
}

/// The pages at the root and everything below `docs`.
fn pages(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?
        {
            let path = entry?.path();
            if path.is_dir() && path.starts_with(root.join("docs")) {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Targets of `[text](target)` that are files: no scheme, no bare fragment, outside of fenced code.
fn links(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    let mut is_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', '#', ' ']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains(':') && !target.starts_with('/') {
                found.push((index + 1, target.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_files_of_the_clone_only() {
        let text = "see [a](docs/a.md#part) and [b](https://example.com/)\n[c](#here) [d](../d.md)\n```\n[e](e.md)\n```\n";
        let found = links(text);
        assert_eq!(
            found,
            [(1, "docs/a.md".to_owned()), (2, "../d.md".to_owned())]
        );
    }

    #[test]
    fn a_dead_link_is_found() {
        let line = "[gone](no/such/page.md)";
        let dead = links(line)
            .into_iter()
            .filter(|(_, target)| !Path::new("/").join(target).exists());
        assert_eq!(dead.count(), 1);
    }
}
