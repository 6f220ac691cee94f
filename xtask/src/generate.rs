//! `cargo xtask generate`: files that are made from the code and checked in (`openapi.json`, `docs/reference`).
//!
//! The program itself writes them, into a folder under `target`; this command copies them to their places, or with `--check`
//! compares. Files in `docs/reference` that the program does not write are written by hand and left alone.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process;

/// Lines shown of each difference; enough to see what is meant, the rest shows after `cargo xtask generate` in `git diff`.
const LINES_SHOWN_MAX: usize = 12;

/// `--check` compares and fails on a difference; without it the files are written.
pub fn main(arguments: &[String]) -> Result<()> {
    let is_check = match arguments {
        [] => false,
        [one] if one == "--check" => true,
        _ => bail!("usage: cargo xtask generate [--check]"),
    };
    let out = produce()?;
    let files = files_below(&out)?;
    if files.is_empty() {
        bail!("`bailee generate` wrote nothing");
    }
    let mut stale = Vec::new();
    for file in &files {
        let name = file.strip_prefix(&out)?;
        let fresh =
            fs::read_to_string(file).with_context(|| format!("{} is not text", file.display()))?;
        let place = process::root().join(name);
        let kept = fs::read_to_string(&place).unwrap_or_default();
        if kept == fresh {
            continue;
        }
        if is_check {
            print_difference(name, &kept, &fresh);
        } else {
            if let Some(folder) = place.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&place, &fresh)
                .with_context(|| format!("cannot write {}", place.display()))?;
            println!("wrote {}", name.display());
        }
        stale.push(name.display().to_string());
    }
    if is_check && !stale.is_empty() {
        bail!(
            "not up to date: {}; run `cargo xtask generate` and commit the result",
            stale.join(", ")
        );
    }
    println!(
        "{} generated files, {} {}",
        files.len(),
        stale.len(),
        if is_check { "stale" } else { "changed" }
    );
    Ok(())
}

fn produce() -> Result<PathBuf> {
    // The whole workspace, so that features are those of the tests and nothing is built twice.
    process::run(process::cargo().args(["build", "--quiet", "--workspace", "--bins"]))?;
    let target = process::target_folder()?;
    let out = target.join("generated");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    fs::create_dir_all(&out)?;
    process::run(
        process::command(target.join("debug").join("bailee"))
            .args(["generate", "--out"])
            .arg(&out),
    )?;
    Ok(out)
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn print_difference(name: &Path, kept: &str, fresh: &str) {
    println!("--- {} differs", name.display());
    for line in difference(kept, fresh) {
        println!("{line}");
    }
}

/// The first stretch that differs, between the lines that both begin and end with.
fn difference(kept: &str, fresh: &str) -> Vec<String> {
    let kept: Vec<&str> = kept.lines().collect();
    let fresh: Vec<&str> = fresh.lines().collect();
    let head = kept.iter().zip(&fresh).take_while(|(a, b)| a == b).count();
    let room = kept.len().min(fresh.len()) - head;
    let tail = kept
        .iter()
        .rev()
        .zip(fresh.iter().rev())
        .take(room)
        .take_while(|(a, b)| a == b)
        .count();
    let middle = |lines: &[&str], sign: char| -> Vec<String> {
        let stretch = lines.get(head..lines.len() - tail).unwrap_or_default();
        let mut shown: Vec<String> = stretch
            .iter()
            .take(LINES_SHOWN_MAX)
            .map(|line| format!("{sign} {line}"))
            .collect();
        if stretch.len() > LINES_SHOWN_MAX {
            shown.push(format!(
                "{sign} … {} lines more",
                stretch.len() - LINES_SHOWN_MAX
            ));
        }
        shown
    };
    let mut lines = vec![format!("@@ line {}", head + 1)];
    lines.extend(middle(&kept, '-'));
    lines.extend(middle(&fresh, '+'));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_first_line_and_both_sides() {
        assert_eq!(
            difference("a\nb\nc\n", "a\nx\ny\nc\n"),
            ["@@ line 2", "- b", "+ x", "+ y"]
        );
    }

    #[test]
    fn a_line_added_at_the_end_is_the_whole_difference() {
        assert_eq!(difference("a\na\n", "a\na\na\n"), ["@@ line 3", "+ a"]);
    }

    #[test]
    fn a_long_difference_is_cut() {
        let fresh = "x\n".repeat(LINES_SHOWN_MAX + 3);
        assert_eq!(
            difference("", &fresh).last().map(String::as_str),
            Some("+ … 3 lines more")
        );
    }
}
