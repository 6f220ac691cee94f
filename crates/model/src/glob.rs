use std::fmt;
use std::str::FromStr;

use crate::limit;
use crate::text::as_text;

/// A pattern for paths below a folder: `*` and `?` within a name, `[a-z]` for one letter, `**` for any folders.
///
/// Without a `/` it is about the name alone, however deep the file lies: `*.csv`. With one it is about the whole path
/// below the folder: `2026/*/report.csv`, `archive/**`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// Whether it is about whole paths; else it is about names alone.
    pub fn is_about_paths(&self) -> bool {
        self.0.contains('/') || self.0 == "**"
    }

    /// Whether `path`, relative to the folder and without a leading `/`, is meant.
    pub fn matches(&self, path: &str) -> bool {
        if self.0.contains('/') {
            let pattern: Vec<&str> = self.0.split('/').collect();
            let names: Vec<&str> = path.split('/').collect();
            return path_matches(&pattern, &names);
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        self.0 == "**" || name_matches(&self.0, name)
    }
}

impl FromStr for Glob {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.len() > limit::GLOB_BYTES_MAX {
            return Err("a pattern has 1 to 512 bytes");
        }
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return Err("a pattern may not hold control characters or backslashes");
        }
        if text.split('/').any(|name| matches!(name, "" | "." | "..")) {
            return Err(
                "a pattern is relative to the source folder and may not leave it: no leading `/`, no empty, `.` or `..` segments",
            );
        }
        if text
            .split('/')
            .any(|name| name.contains("**") && name != "**")
        {
            return Err("`**` stands for whole folders: write it between slashes");
        }
        let is_open = |name: &str| {
            name.rfind('[')
                .is_some_and(|at| !name.get(at + 2..).unwrap_or_default().contains(']'))
        };
        if text.split('/').any(is_open) {
            return Err("a `[` in a pattern needs its `]`");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

as_text!(Glob);

/// One row of a table at a time: what the pattern so far can reach. Its cost is the product of both lengths, whatever
/// the pattern.
fn path_matches(pattern: &[&str], names: &[&str]) -> bool {
    reaches(
        pattern,
        names,
        |word| *word == "**",
        |word, name| name_matches(word, name),
    )
}

fn name_matches(pattern: &str, name: &str) -> bool {
    let letters: Vec<char> = name.chars().collect();
    reaches(
        &words(pattern),
        &letters,
        |word| matches!(word, Word::Any),
        |word, letter| word.admits(*letter),
    )
}

/// Whether `pattern` covers all of `items`; a word that `is_any` stands for any number of them.
fn reaches<W, T>(
    pattern: &[W],
    items: &[T],
    is_any: impl Fn(&W) -> bool,
    admits: impl Fn(&W, &T) -> bool,
) -> bool {
    let mut reached: Vec<bool> = vec![false; items.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for word in pattern {
        let mut next = Vec::with_capacity(reached.len());
        if is_any(word) {
            let mut was_reached = false;
            for here in &reached {
                was_reached |= *here;
                next.push(was_reached);
            }
        } else {
            next.push(false);
            let steps = reached.iter().zip(items);
            next.extend(steps.map(|(here, item)| *here && admits(word, item)));
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

enum Word {
    Any,
    One,
    Letter(char),
    Set {
        is_not: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Word {
    fn admits(&self, letter: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Letter(own) => *own == letter,
            Self::Set { is_not, ranges } => {
                ranges
                    .iter()
                    .any(|(first, last)| (*first..=*last).contains(&letter))
                    != *is_not
            }
        }
    }
}

fn words(pattern: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        words.push(match letter {
            '*' => Word::Any,
            '?' => Word::One,
            '[' => set(&mut letters),
            other => Word::Letter(other),
        });
    }
    words
}

/// The letters between brackets. A `]` that comes first is one of them.
fn set(letters: &mut std::str::Chars<'_>) -> Word {
    let mut inside: Vec<char> = Vec::new();
    for letter in letters.by_ref() {
        if letter == ']' && !inside.is_empty() && inside != ['!'] {
            break;
        }
        inside.push(letter);
    }
    let is_not = inside.first() == Some(&'!');
    let mut rest = inside.get(usize::from(is_not)..).unwrap_or_default();
    let mut ranges = Vec::new();
    loop {
        rest = match rest {
            [first, '-', last, after @ ..] => {
                ranges.push((*first, *last));
                after
            }
            [one, after @ ..] => {
                ranges.push((*one, *one));
                after
            }
            [] => break,
        };
    }
    Word::Set { is_not, ranges }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meets(pattern: &str, path: &str) -> bool {
        pattern.parse::<Glob>().is_ok_and(|glob| glob.matches(path))
    }

    #[test]
    fn a_pattern_without_a_slash_is_about_the_name() {
        assert!(meets("*.csv", "a.csv") && meets("*.csv", "deep/down/a.csv"));
        assert!(!meets("*.csv", "a.csv.part") && !meets("*.csv", "x.csv/a.txt"));
        assert!(meets("report-[0-9][0-9].*", "in/report-07.pdf"));
        assert!(!meets("report-[!0-9]*", "report-0.pdf"));
        assert!(meets("?.txt", "ä.txt") && !meets("?.txt", "ab.txt"));
        assert!(meets("[]]x", "]x") && meets("[a-]b", "-b"));
    }

    #[test]
    fn a_pattern_with_a_slash_is_about_the_whole_path() {
        assert!(meets("in/*.csv", "in/a.csv"));
        assert!(!meets("in/*.csv", "in/b/a.csv") && !meets("in/*.csv", "x/in/a.csv"));
        assert!(meets("in/**", "in/a/b/c") && meets("**/b/*", "a/b/c") && meets("**/c", "c"));
        assert!(meets("a/**/z", "a/z") && meets("a/**/z", "a/b/c/z"));
    }

    #[test]
    fn patterns_that_leave_the_folder_are_refused() {
        for text in [
            "", "../a", "a/../b", "/etc/*", "a//b", "./a", "a\\b", "a\0", "a**", "[a", "a/[b/c]",
        ] {
            assert!(text.parse::<Glob>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_hostile_pattern_costs_no_more_than_its_length() {
        let pattern = "*a".repeat(200);
        assert!(!meets(&pattern, &"a".repeat(150)));
        assert!(meets(&pattern, &"a".repeat(250)));
    }
}
