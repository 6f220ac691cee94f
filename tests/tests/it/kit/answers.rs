//! Every answer of a run, for `cargo xtask test`, which compares them with what the API document says.
//!
//! A line is method, path, status, and the problem's code or `-`. Nothing is written unless the folder is named.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The folder that takes one file for each process.
const FOLDER: &str = "BAILEE_TEST_ANSWERS";

struct Answers {
    file: File,
    known: BTreeSet<String>,
}

/// Notes an answer to `path`, whose query is left out.
pub(super) fn note(method: &str, path: &str, status: u16, code: &str) {
    static ANSWERS: OnceLock<Option<Mutex<Answers>>> = OnceLock::new();
    let Some(answers) = ANSWERS.get_or_init(open) else {
        return;
    };
    let path = path.split('?').next().unwrap_or_default();
    let code = if code.is_empty() { "-" } else { code };
    let line = format!("{method} {path} {status} {code}\n");
    let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
    if answers.known.insert(line.clone()) {
        answers.file.write_all(line.as_bytes()).unwrap();
    }
}

fn open() -> Option<Mutex<Answers>> {
    let folder = std::env::var_os(FOLDER)?;
    let path = Path::new(&folder).join(std::process::id().to_string());
    let file = File::options().create(true).append(true).open(path);
    Some(Mutex::new(Answers {
        file: file.unwrap(),
        known: BTreeSet::new(),
    }))
}
