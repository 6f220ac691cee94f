//! Reads site files: which things should be there, and how.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::form::{self, normal, secret_source};
use super::kinds::{self, Form, Kind};
use super::node::{self, Node, Tree};
use crate::Failure;

/// Largest site file, in bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Most files of a folder.
const FILES_MAX: usize = 1000;
/// Most faults that are told at once.
const FAULTS_MAX: usize = 20;
/// Versions of the format that this program reads.
const FORMAT: u64 = 1;

/// What files say.
#[derive(Default)]
pub struct Site {
    /// The kinds that they name, in the order of dependence.
    pub kinds: Vec<&'static Kind>,
    /// The things, kind after kind.
    pub things: Vec<Declared>,
}

/// A thing that should be there.
#[derive(Clone)]
pub struct Declared {
    /// What it is.
    pub kind: &'static Kind,
    /// Its fields in normal form.
    pub fields: Map<String, Value>,
    /// Where it stands.
    pub place: Place,
}

/// Where a thing stands.
#[derive(Clone)]
pub struct Place {
    file: Rc<Path>,
    /// Of the thing within its document.
    pointer: String,
    node: Rc<Node>,
}

impl Place {
    /// File, line and pointer of something in the thing, in words.
    pub fn of(&self, pointer: &str) -> String {
        format!(
            "{}:{}: {}{pointer}",
            self.file.display(),
            self.node.line_at(pointer),
            self.pointer
        )
    }

    /// A path as the file means it: beside the file itself.
    pub fn beside(&self, path: &str) -> PathBuf {
        match self.file.parent() {
            Some(folder) => folder.join(path),
            None => PathBuf::from(path),
        }
    }
}

/// Reads files and folders of files. All faults are told at once.
pub fn read(paths: &[PathBuf]) -> Result<Site, Failure> {
    let mut reader = Reader::default();
    for path in paths {
        if path.is_dir() {
            for path in files_of(path)? {
                reader.file(&path)?;
            }
        } else {
            reader.file(path)?;
        }
    }
    reader.site()
}

/// The YAML files of a folder and below, by name.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(Failure::local("read", &folder))? {
            let entry = entry.map_err(Failure::local("read", &folder))?;
            let path = entry.path();
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            let kind = entry.file_type().map_err(Failure::local("read", &path))?;
            if kind.is_dir() && !is_hidden {
                folders.push(path);
            } else if !is_hidden
                && path
                    .extension()
                    .is_some_and(|end| end == "yaml" || end == "yml")
            {
                files.push(path);
            }
        }
        if files.len() > FILES_MAX {
            return Err(Failure::Site(vec![format!(
                "{}: more than {FILES_MAX} files",
                folder.display()
            )]));
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::NotFound(format!(
            "{} holds no .yaml file",
            folder.display()
        )));
    }
    Ok(files)
}

#[derive(Default)]
struct Reader {
    kinds: Vec<&'static str>,
    things: Vec<Declared>,
    faults: Vec<String>,
}

impl Reader {
    fn file(&mut self, path: &Path) -> Result<(), Failure> {
        let text = text_of(path)?;
        let documents = match node::documents(&text) {
            Ok(documents) => documents,
            Err(fault) => {
                let place = format!("{}:{}", path.display(), fault.line);
                self.faults.push(format!("{place}: {}", fault.detail));
                return Ok(());
            }
        };
        let path: Rc<Path> = path.into();
        for document in documents {
            self.document(&path, &document);
        }
        Ok(())
    }

    fn document(&mut self, file: &Rc<Path>, document: &Node) {
        let Some(members) = document.members() else {
            let place = format!("{}:{}", file.display(), document.line);
            let fault = "a site file is an object whose members are kinds, such as remotes";
            return self.faults.push(format!("{place}: {fault}"));
        };
        for member in members {
            let line = format!("{}:{}: /{}", file.display(), member.line, member.name);
            if member.name == "bailee" {
                if member.node.value() != FORMAT {
                    let fault = "this program reads version 1 of site files";
                    self.faults.push(format!("{line}: {fault}"));
                }
                continue;
            }
            let Some(kind) = kinds::kind(&member.name) else {
                let known = kinds::KINDS.join(", ");
                let fault = format!("{line}: unknown kind; there are {known}");
                self.faults.push(fault);
                continue;
            };
            self.kinds.push(kind.plural);
            let place = |pointer: String, node: &Node| Place {
                file: Rc::clone(file),
                pointer,
                node: Rc::new(node.clone()),
            };
            match (&member.node.tree, kind.is_single()) {
                (Tree::List(items), false) => {
                    for (at, item) in items.iter().enumerate() {
                        self.thing(kind, place(format!("/{}/{at}", member.name), item));
                    }
                }
                (Tree::Map(_), true) => {
                    self.thing(kind, place(format!("/{}", member.name), &member.node));
                }
                (Tree::Scalar(Value::Null), false) => {}
                (_, true) => self.faults.push(format!("{line}: this is an object")),
                (_, false) => self.faults.push(format!("{line}: this is a list")),
            }
        }
    }

    fn thing(&mut self, kind: &'static Kind, place: Place) {
        let node = Rc::clone(&place.node);
        let Some(members) = node.members() else {
            return self
                .faults
                .push(format!("{}: this is an object", place.of("")));
        };
        let mut fields = Map::new();
        let before = self.faults.len();
        for member in members {
            let pointer = format!("/{}", member.name);
            match value(kind, &place, &member.name, &member.node) {
                Ok(value) => {
                    fields.insert(member.name.clone(), value);
                }
                Err((below, fault)) => {
                    let at = place.of(&format!("{pointer}{below}"));
                    self.faults.push(format!("{at}: {fault}"));
                }
            }
        }
        if let Some(fault) = misnamed(kind, &fields) {
            self.faults
                .push(format!("{}: {fault}", place.of("/document/name")));
        }
        for field in kind.fields {
            let is_missing = fields.get(field.name).is_none_or(Value::is_null);
            if matches!(field.absent, kinds::Absent::Required) && is_missing {
                let fault = format!("{}: `{}` is missing", place.of(""), field.name);
                self.faults.push(fault);
            }
        }
        if self.faults.len() == before {
            let fields = normal(kind, fields);
            self.things.push(Declared {
                kind,
                fields,
                place,
            });
        }
    }

    fn site(mut self) -> Result<Site, Failure> {
        self.find_twins();
        if !self.faults.is_empty() {
            let more = self.faults.len().saturating_sub(FAULTS_MAX);
            self.faults.truncate(FAULTS_MAX);
            if more > 0 {
                self.faults.push(format!("and {more} more"));
            }
            return Err(Failure::Site(self.faults));
        }
        let named = |kind: &&Kind| self.kinds.contains(&kind.plural);
        let kinds: Vec<_> = kinds::ALL.iter().copied().filter(named).collect();
        let mut things = self.things;
        let rank = |thing: &Declared| {
            let kind = thing.kind.plural;
            kinds.iter().position(|other| other.plural == kind)
        };
        things.sort_by_key(rank);
        Ok(Site { kinds, things })
    }

    /// Names are told once. Kinds whose things have no name of their own may repeat themselves.
    fn find_twins(&mut self) {
        let mut seen = std::collections::BTreeMap::new();
        for thing in &self.things {
            if !thing.kind.is_single() && !thing.kind.key.contains(&"name") {
                continue;
            }
            let key = (thing.kind.plural, form::key(thing.kind, &thing.fields));
            if let Some(first) = seen.insert(key, thing.place.clone()) {
                self.faults.push(format!(
                    "{}: {} {} was told of before, at {}",
                    thing.place.of(""),
                    thing.kind.noun,
                    form::name(thing.kind, &thing.fields),
                    first.of("")
                ));
            }
        }
    }
}

/// A field's value, or where below it and why it is refused.
fn value(
    kind: &'static Kind,
    place: &Place,
    name: &str,
    node: &Node,
) -> Result<Value, (String, String)> {
    let here = |fault: &str| (String::new(), fault.to_owned());
    let field = kind
        .field(name)
        .ok_or_else(|| (String::new(), unknown(name, kind)))?;
    let value = node.value();
    if value.is_null() {
        return Ok(value);
    }
    match field.form {
        Form::Object(known) => {
            let members = node.members().ok_or_else(|| here("this is an object"))?;
            match members
                .iter()
                .find(|member| !known.contains(&member.name.as_str()))
            {
                Some(member) => Err((
                    format!("/{}", member.name),
                    format!("unknown field; there are {}", known.join(", ")),
                )),
                None => Ok(value),
            }
        }
        Form::Set if !value.is_array() => Err(here("this is a list")),
        Form::Part(_) if !value.is_object() => Err(here("this is an object")),
        Form::Secret(_) => match secret_source(&value) {
            Some(_) => Ok(value),
            None => Err(here(
                "a secret does not stand in a site file: write {env: NAME} or {file: PATH}",
            )),
        },
        Form::Credential(_) => match (secret_source(&value), form::secret_name(&value)) {
            (None, None) => Err(here(
                "a secret does not stand in a site file: write {env: NAME}, {file: PATH} or {secret: NAME}",
            )),
            _ => Ok(value),
        },
        Form::Document(_) => match (secret_source(&value), &value) {
            (Some(("file", path)), _) => {
                document_of(&place.beside(path)).map_err(|fault| here(&fault))
            }
            (_, Value::Object(_)) => Ok(value),
            _ => Err(here("this is a document, or {file: PATH}")),
        },
        Form::Text => text(&value, place).map_err(|fault| here(&fault)),
        Form::Armored(_) => {
            let key = text(&value, place).map_err(|fault| here(&fault))?;
            if key.as_str().is_some_and(|key| key.contains("PRIVATE KEY")) {
                return Err(here(
                    "this is a secret key, which no site file holds; `bailee pgp-key import` takes it in",
                ));
            }
            Ok(key)
        }
        Form::Reference(_, kinds) => match form::reference(&value) {
            Some((noun, _)) if noun.is_empty() || kinds.iter().any(|kind| kind.noun == noun) => {
                Ok(value)
            }
            _ => {
                let forms = kinds.iter().map(|kind| format!("{{{}: NAME}}", kind.noun));
                let forms: Vec<_> = forms.collect();
                Err(here(&format!("this is {}", forms.join(" or "))))
            }
        },
        _ => Ok(value),
    }
}

/// A text that stands here or in a file of its own.
fn text(value: &Value, place: &Place) -> Result<Value, String> {
    match value.get("file").and_then(Value::as_str) {
        Some(path) => {
            let text = text_of(&place.beside(path)).map_err(|failure| failure.to_string())?;
            Ok(Value::String(text))
        }
        None if value.is_string() => Ok(value.clone()),
        None => Err("this is a text, or {file: PATH}".to_owned()),
    }
}

/// The document in a file of its own.
fn document_of(path: &Path) -> Result<Value, String> {
    let text = text_of(path).map_err(|failure| failure.to_string())?;
    let named = |line: usize, fault: &str| format!("{}:{line}: {fault}", path.display());
    let documents = node::documents(&text).map_err(|fault| named(fault.line, &fault.detail))?;
    match documents.as_slice() {
        [document] if document.members().is_some() => Ok(document.value()),
        _ => Err(named(1, "this is not one document")),
    }
}

/// What is wrong with the name in a document, which is the thing's own.
fn misnamed(kind: &Kind, fields: &Map<String, Value>) -> Option<String> {
    let mut documents = kind
        .fields
        .iter()
        .filter(|field| matches!(field.form, Form::Document(_)));
    let inside = fields.get(documents.next()?.name)?.get("name")?;
    let name = fields.get("name")?;
    (inside != name).then(|| format!("this is the document of {inside}, not of {name}"))
}

fn unknown(name: &str, kind: &Kind) -> String {
    let near = kind
        .fields
        .iter()
        .map(|field| (strsim::damerau_levenshtein(field.name, name), field.name))
        .min();
    match near {
        Some((distance, near)) if distance <= 2 => {
            format!("unknown field; did you mean `{near}`?")
        }
        _ => {
            let known: Vec<_> = kind.fields.iter().map(|field| field.name).collect();
            format!("unknown field; there are {}", known.join(", "))
        }
    }
}

fn text_of(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(FILE_BYTES_MAX + 1)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text))
    };
    read.map_err(Failure::local("read", path))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(Failure::Site(vec![format!(
            "{}: larger than {FILE_BYTES_MAX} bytes",
            path.display()
        )]));
    }
    Ok(text)
}
