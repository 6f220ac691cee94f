//! Rust files as the checks see them: the text, and the same text with strings and comments blanked.
//!
//! A mask has the byte length of the text and the same line breaks, so an offset in one is an offset in all.

use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};

/// The folders whose `.rs` files are checked.
const FOLDERS: [&str; 4] = ["crates", "tests", "bench", "xtask"];

/// A string literal, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    pub start: usize,
    pub text: String,
}

/// A function with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// Where `fn` stands.
    pub start: usize,
    /// From `{` to `}`, both included.
    pub body: Range<usize>,
}

pub struct Source {
    /// From the root of the clone, with forward slashes.
    pub path: String,
    pub text: String,
    /// Code alone: strings, characters and comments are blanks.
    pub code: String,
    /// Comments alone.
    pub comments: String,
    pub literals: Vec<Literal>,
    /// Byte ranges of `#[cfg(test)] mod …`.
    tests: Vec<Range<usize>>,
    is_test_file: bool,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let mask = Mask::of(text);
        let tests = test_modules(&mask.code);
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code: mask.code,
            comments: mask.comments,
            literals: mask.literals,
            tests,
            is_test_file: is_test_path(path),
        }
    }

    /// The crate's folder name (`store` for `crates/store/src/lib.rs`), or the first folder for others.
    pub fn owner(&self) -> &str {
        let mut folders = self.path.split('/');
        match folders.next() {
            Some("crates") => folders.next().unwrap_or_default(),
            other => other.unwrap_or_default(),
        }
    }

    /// Counted from 1.
    pub fn line_of(&self, offset: usize) -> usize {
        self.text
            .bytes()
            .take(offset)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1
    }

    /// Test code may do what the product may not.
    pub fn is_test(&self, offset: usize) -> bool {
        self.is_test_file || self.tests.iter().any(|range| range.contains(&offset))
    }

    pub fn is_test_file(&self) -> bool {
        self.is_test_file
    }

    /// Each place in the code, tests aside, where the word stands whole.
    pub fn product_uses<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        occurrences(&self.code, word).filter(|offset| !self.is_test(*offset))
    }

    /// Lines that hold code or a string, in the range and outside the test modules.
    pub fn code_lines(&self, range: Range<usize>) -> usize {
        let mut offset = 0;
        let mut count = 0;
        for line in self.text.split_inclusive('\n') {
            let here = offset..offset + line.len();
            offset = here.end;
            if here.end <= range.start || here.start >= range.end || self.in_test_module(here.start)
            {
                continue;
            }
            let comment = self.comments.get(here).unwrap_or_default();
            let has_code = line
                .bytes()
                .zip(comment.bytes())
                .any(|(byte, comment)| !byte.is_ascii_whitespace() && comment == b' ');
            count += usize::from(has_code);
        }
        count
    }

    /// Functions with a body, in the order of the text.
    pub fn functions(&self) -> Vec<Function> {
        occurrences(&self.code, "fn")
            .filter_map(|start| function_at(&self.code, start))
            .collect()
    }

    pub fn in_test_module(&self, offset: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&offset))
    }
}

/// Every source of the workspace, sorted by path.
pub fn read_tree(root: &Path) -> Result<Vec<Source>> {
    let mut open: Vec<_> = FOLDERS
        .iter()
        .map(|folder| root.join(folder))
        .filter(|folder| folder.is_dir())
        .collect();
    let mut sources = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let name = path
                    .strip_prefix(root)?
                    .to_string_lossy()
                    .replace('\\', "/");
                sources.push(Source::new(&name, &text));
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

/// Offsets at which the word stands and neither goes on nor began earlier.
pub fn occurrences<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let goes_on =
        |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let bytes = code.as_bytes();
    let begins_in_word = goes_on(word.bytes().next());
    let ends_in_word = goes_on(word.bytes().last());
    code.match_indices(word)
        .map(|(offset, _)| offset)
        .filter(move |offset| {
            let before = offset
                .checked_sub(1)
                .and_then(|index| bytes.get(index))
                .copied();
            let after = bytes.get(offset + word.len()).copied();
            !(begins_in_word && goes_on(before) || ends_in_word && goes_on(after))
        })
}

/// The offset after the bracket that closes the one at `open`.
pub fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(index + 1);
                }
            }
            _ => {}
        }
    }
    None
}

fn function_at(code: &str, start: usize) -> Option<Function> {
    let rest = code.get(start + 2..)?;
    let lead = rest.len() - rest.trim_start().len();
    let name: String = rest
        .trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    if lead == 0 || name.is_empty() {
        return None;
    }
    let mut depth = 0_usize;
    for (index, byte) in code.bytes().enumerate().skip(start + 2) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => {
                return Some(Function {
                    name,
                    start,
                    body: index..closing(code, index)?,
                });
            }
            _ => {}
        }
    }
    None
}

fn test_modules(code: &str) -> Vec<Range<usize>> {
    let attribute = "#[cfg(test)]";
    let modules = code.match_indices(attribute).filter_map(|(start, _)| {
        let rest = code.get(start..)?;
        let stop = rest.find(['{', ';'])?;
        let open = start + stop;
        let is_module = occurrences(rest.get(..stop)?, "mod").next().is_some();
        (is_module && code.as_bytes().get(open) == Some(&b'{'))
            .then(|| closing(code, open).map(|end| start..end))?
    });
    modules.collect()
}

fn is_test_path(path: &str) -> bool {
    path.starts_with("tests/")
        || path.starts_with("bench/")
        || ["/tests/", "/benches/", "/examples/"]
            .iter()
            .any(|folder| path.contains(folder))
        || path.ends_with("/tests.rs")
}

/// The masks while they are made.
struct Mask {
    code: String,
    comments: String,
    literals: Vec<Literal>,
}

impl Mask {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let blank: Vec<u8> = bytes
            .iter()
            .map(|byte| if *byte == b'\n' { b'\n' } else { b' ' })
            .collect();
        let (mut code, mut comments) = (blank.clone(), blank);
        let mut literals = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let (kind, end) = token(bytes, at);
            let end = end.clamp(at + 1, bytes.len());
            match kind {
                Kind::Code => copy(&mut code, bytes, at..end),
                Kind::Comment => copy(&mut comments, bytes, at..end),
                Kind::Text { open, close } => {
                    let inner = text
                        .get(at + open..end.saturating_sub(close))
                        .unwrap_or_default();
                    literals.push(Literal {
                        start: at,
                        text: inner.to_owned(),
                    });
                }
                Kind::Char => {}
            }
            at = end;
        }
        let string = |bytes| String::from_utf8(bytes).unwrap_or_default();
        Self {
            code: string(code),
            comments: string(comments),
            literals,
        }
    }
}

fn copy(mask: &mut [u8], bytes: &[u8], range: Range<usize>) {
    if let (Some(to), Some(from)) = (mask.get_mut(range.clone()), bytes.get(range)) {
        to.copy_from_slice(from);
    }
}

enum Kind {
    Code,
    Comment,
    Char,
    /// Lengths of what opens and closes it.
    Text {
        open: usize,
        close: usize,
    },
}

/// What begins at `at` and where it ends.
fn token(bytes: &[u8], at: usize) -> (Kind, usize) {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest {
        [b'/', b'/', ..] => (
            Kind::Comment,
            at + rest
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(rest.len()),
        ),
        [b'/', b'*', ..] => (Kind::Comment, at + block_comment(rest)),
        [b'"', ..] => (Kind::Text { open: 1, close: 1 }, at + quoted(rest, b'"')),
        [b'\'', b'\\', ..] => (Kind::Char, at + quoted(rest, b'\'')),
        [b'\'', tail @ ..] => match tail.iter().take(5).position(|byte| *byte == b'\'') {
            // One character of one to four bytes; anything else is a lifetime or a label.
            Some(length) if length > 0 && is_one_char(tail.get(..length)) => {
                (Kind::Char, at + length + 2)
            }
            _ => (Kind::Code, at + 1),
        },
        [b'r', ..] => match raw_string(rest) {
            Some((hashes, end)) if !continues_word(bytes, at) => (
                Kind::Text {
                    open: hashes + 2,
                    close: hashes + 1,
                },
                at + end,
            ),
            _ => (Kind::Code, at + 1),
        },
        [b'b', b'r', ..] if !continues_word(bytes, at) => {
            match raw_string(rest.get(1..).unwrap_or_default()) {
                Some((hashes, end)) => (
                    Kind::Text {
                        open: hashes + 3,
                        close: hashes + 1,
                    },
                    at + 1 + end,
                ),
                None => (Kind::Code, at + 1),
            }
        }
        _ => (Kind::Code, at + char_length(rest)),
    }
}

/// Whole characters only, so that each mask stays valid UTF-8.
fn char_length(rest: &[u8]) -> usize {
    1 + rest
        .iter()
        .skip(1)
        .take_while(|byte| **byte & 0xC0 == 0x80)
        .count()
}

fn is_one_char(bytes: Option<&[u8]>) -> bool {
    bytes
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .is_some_and(|text| text.chars().count() == 1)
}

fn continues_word(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|index| bytes.get(index));
    // The `b` of `br"…"` has been taken as code already only if it belongs to a longer word.
    before.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match *byte {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Number of hashes and the end, if a raw string begins at the `r`.
fn raw_string(rest: &[u8]) -> Option<(usize, usize)> {
    let hashes = rest
        .iter()
        .skip(1)
        .take_while(|byte| **byte == b'#')
        .count();
    if rest.get(hashes + 1) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"')
        .chain(std::iter::repeat_n(b'#', hashes))
        .collect();
    let body = rest.get(hashes + 2..)?;
    let length = body
        .windows(close.len())
        .position(|window| window == close)
        .unwrap_or(body.len());
    Some((hashes, hashes + 2 + length + close.len()))
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match rest.get(at..at + 2) {
            Some(b"/*") => {
                depth += 1;
                at += 2;
            }
            Some(b"*/") => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "// fn comment() {}\nfn first<'a>(x: &'a str) -> char {\n    let s = \"fn in_string() {\"; /* { */\n    let r = r#\"raw \" {\"#;\n    '{'\n}\n\n#[cfg(test)]\nmod tests {\n    fn second() {}\n}\n";

    #[test]
    fn strings_and_comments_are_blanked_and_lengths_kept() {
        let source = Source::new("crates/a/src/lib.rs", SAMPLE);
        assert_eq!(source.code.len(), SAMPLE.len());
        assert_eq!(source.comments.len(), SAMPLE.len());
        assert!(
            !source.code.contains("in_string")
                && !source.code.contains("comment")
                && !source.code.contains("raw")
        );
        let literals: Vec<&str> = source
            .literals
            .iter()
            .map(|literal| literal.text.as_str())
            .collect();
        assert_eq!(literals, ["fn in_string() {", "raw \" {"]);
    }

    #[test]
    fn functions_are_found_with_their_bodies() {
        let source = Source::new("crates/a/src/lib.rs", SAMPLE);
        let names: Vec<String> = source
            .functions()
            .into_iter()
            .map(|function| function.name)
            .collect();
        assert_eq!(names, ["first", "second"]);
    }

    #[test]
    fn test_modules_are_not_counted() {
        let source = Source::new("crates/a/src/lib.rs", SAMPLE);
        assert_eq!(source.code_lines(0..SAMPLE.len()), 5);
        assert!(source.is_test(SAMPLE.find("second").unwrap_or_default()));
        assert!(!source.is_test(0));
    }

    #[test]
    fn a_word_is_found_whole_only() {
        assert_eq!(
            occurrences("unbounded( unbounded_channel( x.unbounded(", "unbounded(").count(),
            2
        );
        assert_eq!(occurrences("fn fns _fn fn", "fn").count(), 2);
    }

    #[test]
    fn characters_beyond_ascii_do_not_break_the_mask() {
        let text = "fn a() -> char { 'é' } // ü\nconst X: &str = \"ß\";\n";
        let source = Source::new("crates/a/src/lib.rs", text);
        assert_eq!(source.code.len(), text.len());
        assert_eq!(source.literals.len(), 1);
    }
}
