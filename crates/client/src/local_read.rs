//! Files of this machine, read and hashed off the threads of the runtime.

use std::fs::File as LocalFile;
use std::io::{ErrorKind, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::task::spawn_blocking;

use crate::digest::Sha256;
use crate::{Digest, Error, Result, limit};

/// Reads a file part after part and hashes it on the way, off the threads of the runtime.
pub(crate) struct PartReader {
    file: LocalFile,
    path: PathBuf,
    pub(crate) sha: Sha256,
}

/// A part, and the reader for the next.
pub(crate) struct ReadPart {
    pub(crate) reader: PartReader,
    pub(crate) bytes: Bytes,
}

impl PartReader {
    pub(crate) fn new(file: LocalFile, path: &Path) -> Self {
        Self {
            file,
            path: path.to_owned(),
            sha: Sha256::default(),
        }
    }

    /// The next `wanted` bytes; fewer only at the end of the file.
    pub(crate) async fn read(mut self, wanted: u64) -> Result<ReadPart> {
        let work = move || {
            let mut bytes = Vec::with_capacity(wanted as usize);
            Read::take(&mut self.file, wanted)
                .read_to_end(&mut bytes)
                .map_err(Error::local("read", &self.path))?;
            self.sha.update(&bytes);
            Ok(ReadPart {
                reader: self,
                bytes: bytes.into(),
            })
        };
        match spawn_blocking(work).await {
            Ok(part) => part,
            Err(stopped) => Err(Error::usage(format!("reading ended: {stopped}"))),
        }
    }
}

/// The SHA-256 of a local file.
pub async fn hash_file(path: &Path) -> Result<Digest> {
    let owned = path.to_owned();
    let work = move || {
        let mut file = LocalFile::open(&owned).map_err(Error::local("open", &owned))?;
        hash_up_to(&mut file, u64::MAX).map_err(Error::local("read", &owned))
    };
    match spawn_blocking(work).await {
        Ok(hashed) => hashed.map(|(sha, _)| sha.finish()),
        Err(stopped) => Err(Error::usage(format!("reading ended: {stopped}"))),
    }
}

/// Hashes from the beginning, at most `most` bytes, and leaves the file's position after them.
pub(crate) fn hash_up_to(file: &mut LocalFile, most: u64) -> std::io::Result<(Sha256, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let (mut sha, mut seen) = (Sha256::default(), 0u64);
    let mut block = vec![0u8; limit::READ_BLOCK];
    while seen < most {
        let room = usize::try_from(most - seen)
            .unwrap_or(usize::MAX)
            .min(block.len());
        let Some(space) = block.get_mut(..room) else {
            break;
        };
        let read = match file.read(space) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        sha.update(space.get(..read).unwrap_or_default());
        seen += read as u64;
    }
    Ok((sha, seen))
}
