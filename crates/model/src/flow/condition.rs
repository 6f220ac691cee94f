//! Conditions: comparisons of facts with values, joined by `and`, `or` and `not`. They are parsed into a tree of bounded
//! depth and can do nothing but compare.

use std::fmt;
use std::str::FromStr;

use super::{Fact, Facts, Name, StepFault};
use crate::text::as_text;
use crate::{Glob, limit};

/// A condition such as `files.count > 0 and not file.name matches "*.tmp"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    source: String,
    tree: Tree,
}

#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Any(Vec<Tree>),
    All(Vec<Tree>),
    Not(Box<Tree>),
    Truth(Operand),
    Compare(Operand, Comparison, Operand),
    Matches(Operand, Glob),
    In(Operand, Vec<Fact>),
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Name(Name),
    Value(Fact),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
    Contains,
}

impl Condition {
    /// The names in it.
    pub fn names(&self) -> Vec<&Name> {
        let mut names = Vec::new();
        collect(&self.tree, &mut names);
        names
    }

    /// Whether it holds.
    pub fn holds(&self, facts: &dyn Facts) -> Result<bool, StepFault> {
        holds(&self.tree, facts).map_err(|detail| {
            let detail = format!("`{}`: {detail}.", self.source);
            StepFault::permanent("condition_invalid", detail)
        })
    }
}

fn collect<'a>(tree: &'a Tree, names: &mut Vec<&'a Name>) {
    let mut operands = |all: &[&'a Operand]| {
        names.extend(all.iter().filter_map(|operand| match operand {
            Operand::Name(name) => Some(name),
            Operand::Value(_) => None,
        }));
    };
    match tree {
        Tree::Any(trees) | Tree::All(trees) => {
            for tree in trees {
                collect(tree, names);
            }
        }
        Tree::Not(tree) => collect(tree, names),
        Tree::Truth(operand) | Tree::Matches(operand, _) | Tree::In(operand, _) => {
            operands(&[operand]);
        }
        Tree::Compare(left, _, right) => operands(&[left, right]),
    }
}

fn holds(tree: &Tree, facts: &dyn Facts) -> Result<bool, String> {
    match tree {
        Tree::Any(trees) => {
            for tree in trees {
                if holds(tree, facts)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Tree::All(trees) => {
            for tree in trees {
                if !holds(tree, facts)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Tree::Not(tree) => holds(tree, facts).map(|holds| !holds),
        Tree::Truth(operand) => match value(operand, facts)? {
            Fact::Flag(flag) => Ok(flag),
            Fact::Text(text) if text == "true" || text == "false" => Ok(text == "true"),
            other => Err(format!("`{other}` is neither true nor false")),
        },
        Tree::Compare(left, how, right) => {
            compare(&value(left, facts)?, *how, &value(right, facts)?)
        }
        Tree::Matches(operand, glob) => {
            Ok(glob.matches(value(operand, facts)?.to_string().trim_start_matches('/')))
        }
        Tree::In(operand, values) => {
            let found = value(operand, facts)?;
            Ok(values.iter().any(|value| is_same(&found, value)))
        }
    }
}

fn value(operand: &Operand, facts: &dyn Facts) -> Result<Fact, String> {
    match operand {
        Operand::Value(value) => Ok(value.clone()),
        Operand::Name(name) => facts
            .fact(name)
            .ok_or_else(|| "this run does not have what it names".to_owned()),
    }
}

/// Text that is a number compares as one: parameters are text.
fn number(fact: &Fact) -> Option<f64> {
    match fact {
        Fact::Number(number) => Some(*number),
        Fact::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        Fact::Flag(_) => None,
    }
}

fn is_same(left: &Fact, right: &Fact) -> bool {
    match (left, right) {
        (Fact::Text(left), Fact::Text(right)) => left == right,
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => left.total_cmp(&right).is_eq(),
            _ => left.to_string() == right.to_string(),
        },
    }
}

fn compare(left: &Fact, how: Comparison, right: &Fact) -> Result<bool, String> {
    let order = match (number(left), number(right)) {
        (Some(left), Some(right)) => Some(left.total_cmp(&right)),
        _ => None,
    };
    let ordered = || order.ok_or_else(|| format!("`{left}` and `{right}` are not both numbers"));
    Ok(match how {
        Comparison::Equal => is_same(left, right),
        Comparison::NotEqual => !is_same(left, right),
        Comparison::Less => ordered()?.is_lt(),
        Comparison::AtMost => ordered()?.is_le(),
        Comparison::More => ordered()?.is_gt(),
        Comparison::AtLeast => ordered()?.is_ge(),
        Comparison::Contains => left.to_string().contains(&right.to_string()),
    })
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(source: &str) -> Result<Self, String> {
        if source.len() > limit::FLOW_TEXT_BYTES_MAX {
            return Err("a condition is too long".to_owned());
        }
        let mut reader = Reader {
            rest: source,
            depth: 0,
        };
        let tree = reader.any()?;
        reader.skip();
        if !reader.rest.is_empty() {
            return Err(format!("`{}` is not expected here", reader.rest));
        }
        Ok(Self {
            source: source.to_owned(),
            tree,
        })
    }
}

/// Reads a condition from left to right.
struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes a word that ends where it ends.
    fn word(&mut self, word: &str) -> bool {
        self.skip();
        let Some(after) = self.rest.strip_prefix(word) else {
            return false;
        };
        let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let is_symbol = !word.chars().all(char::is_alphabetic);
        if !is_symbol && after.starts_with(goes_on) {
            return false;
        }
        self.rest = after;
        true
    }

    fn any(&mut self) -> Result<Tree, String> {
        let mut trees = vec![self.all()?];
        while self.word("or") {
            trees.push(self.all()?);
        }
        Ok(one_or(trees, Tree::Any))
    }

    fn all(&mut self) -> Result<Tree, String> {
        let mut trees = vec![self.not()?];
        while self.word("and") {
            trees.push(self.not()?);
        }
        Ok(one_or(trees, Tree::All))
    }

    fn not(&mut self) -> Result<Tree, String> {
        self.depth += 1;
        if self.depth > limit::FLOW_CONDITION_DEPTH_MAX {
            return Err("a condition is nested too deeply".to_owned());
        }
        let tree = if self.word("not") {
            Tree::Not(Box::new(self.not()?))
        } else if self.word("(") {
            let inner = self.any()?;
            if !self.word(")") {
                return Err("a `(` needs its `)`".to_owned());
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(tree)
    }

    fn comparison(&mut self) -> Result<Tree, String> {
        let left = self.operand()?;
        if self.word("matches") {
            let Operand::Value(Fact::Text(text)) = self.operand()? else {
                return Err("`matches` takes a pattern in quotes".to_owned());
            };
            let glob = text.trim_start_matches('/').parse::<Glob>();
            return Ok(Tree::Matches(left, glob.map_err(str::to_owned)?));
        }
        if self.word("in") {
            return Ok(Tree::In(left, self.list()?));
        }
        let symbols = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::More),
            ("contains", Comparison::Contains),
        ];
        for (symbol, how) in symbols {
            if self.word(symbol) {
                return Ok(Tree::Compare(left, how, self.operand()?));
            }
        }
        Ok(Tree::Truth(left))
    }

    fn list(&mut self) -> Result<Vec<Fact>, String> {
        let bad = || "`in` takes values in brackets: `[\"a\", \"b\"]`".to_owned();
        if !self.word("[") {
            return Err(bad());
        }
        let mut values = Vec::new();
        loop {
            match self.operand()? {
                Operand::Value(value) => values.push(value),
                Operand::Name(_) => return Err(bad()),
            }
            if self.word("]") {
                return Ok(values);
            }
            if !self.word(",") {
                return Err(bad());
            }
        }
    }

    fn operand(&mut self) -> Result<Operand, String> {
        self.skip();
        if let Some(after) = self.rest.strip_prefix('"') {
            let (text, after) = after
                .split_once('"')
                .ok_or("a text in a condition needs its second quote")?;
            self.rest = after;
            return Ok(Operand::Value(Fact::Text(text.to_owned())));
        }
        let ends = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (word, after) = self.rest.split_at(end);
        if word.is_empty() {
            return Err("a name, a number or a text in quotes is missing".to_owned());
        }
        self.rest = after;
        if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return sized(word).map(|number| Operand::Value(Fact::Number(number)));
        }
        Ok(match word {
            "true" => Operand::Value(Fact::Flag(true)),
            "false" => Operand::Value(Fact::Flag(false)),
            name => Operand::Name(name.parse()?),
        })
    }
}

/// A number, with or without a unit of bytes.
fn sized(word: &str) -> Result<f64, String> {
    let units = [
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
    ];
    let found = units
        .iter()
        .find_map(|(unit, factor)| Some((word.strip_suffix(unit)?, *factor)));
    let (digits, factor) = found.unwrap_or((word, 1.0));
    let number = digits
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite());
    number
        .map(|number| number * factor)
        .ok_or_else(|| format!("`{word}` is no number"))
}

fn one_or(mut trees: Vec<Tree>, join: impl Fn(Vec<Tree>) -> Tree) -> Tree {
    match (trees.len(), trees.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            trees.extend(last);
            join(trees)
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.source)
    }
}

as_text!(Condition);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::flow::{FileFact, FilesFact};

    struct World;
    impl Facts for World {
        fn fact(&self, name: &Name) -> Option<Fact> {
            match name {
                Name::Files(FilesFact::Count) => Some(Fact::Number(3.0)),
                Name::File(FileFact::Name) => Some(Fact::Text("a.csv".to_owned())),
                Name::File(FileFact::Size) => Some(Fact::Number(2048.0)),
                Name::Param(name) if name.as_str() == "dry" => Some(Fact::Text("true".to_owned())),
                Name::Param(name) if name.as_str() == "n" => Some(Fact::Text("7".to_owned())),
                _ => None,
            }
        }
    }

    fn is(text: &str) -> bool {
        text.parse::<Condition>().unwrap().holds(&World).unwrap()
    }

    #[test]
    fn comparisons_join() {
        assert!(is("files.count > 0 and file.name matches \"*.csv\""));
        assert!(!is("files.count > 3 or not params.dry"));
        assert!(is("(files.count == 3 or false) and params.dry"));
        assert!(is("file.size == 2KiB and params.n >= 7 and params.n < 10"));
        assert!(is("file.name in [\"b.csv\", \"a.csv\"] and not false"));
        assert!(is("file.name contains \"csv\" and file.name != \"x\""));
        assert!(is("not files.count == 4"));
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        let deep = format!("{}true{}", "(".repeat(60), ")".repeat(60));
        for text in [
            "",
            "and",
            "files.count >",
            "a == b",
            "(true",
            "true)",
            "file.name matches 3",
            "file.name in \"a\"",
            "\"a",
            "1x > 0",
            "system(1)",
            &deep,
        ] {
            assert!(text.parse::<Condition>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_a_fault() {
        let fault = |text: &str| {
            text.parse::<Condition>()
                .unwrap()
                .holds(&World)
                .unwrap_err()
        };
        assert_eq!(fault("file.name > 3").code, "condition_invalid");
        assert_eq!(fault("run.id == \"a\"").code, "condition_invalid");
    }
}
