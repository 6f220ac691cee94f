//! Files that only their owner may read: the root key.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::limit::ROOT_KEY_FILE_BYTES_MAX;

/// Permission bits and content of the file at `path`.
pub(crate) fn read(path: &OsStr) -> io::Result<(u32, Zeroizing<Vec<u8>>)> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    let mut content = Zeroizing::new(Vec::with_capacity(ROOT_KEY_FILE_BYTES_MAX as usize));
    file.take(ROOT_KEY_FILE_BYTES_MAX)
        .read_to_end(&mut content)?;
    Ok((mode, content))
}

/// Makes the file at `path` with mode 0600, complete and durable or not at all; an existing one is left alone and is an
/// error of kind `AlreadyExists`. `suffix` names the temporary file beside it.
pub(crate) fn create(path: &OsStr, suffix: &str, content: &[u8]) -> io::Result<()> {
    let path = Path::new(path);
    let mut temporary = path.as_os_str().to_os_string();
    temporary.push(format!(".{suffix}.tmp"));
    let temporary = PathBuf::from(temporary);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    // A link, unlike a rename, does not replace a key that another process has made meanwhile.
    let made = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&temporary, path));
    let removed = fs::remove_file(&temporary);
    made.and(removed)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
