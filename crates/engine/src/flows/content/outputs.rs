//! Where a step's files go: a folder that is the step's alone.

use std::collections::{BTreeMap, HashSet};
use std::future::Future;

use bailee_content::limit::PIECE_BYTES;
use bailee_content::{Error as ContentError, Result as ContentResult};
use bailee_core::model::{
    ContentOut, Error, ErrorKind, FileName, FilePath, FlowFile, FolderPath, PageRequest, StepFault,
    limit,
};
use bailee_core::{
    Caller, Core, FileQuery, FileRef, NewFile, Precondition, Purge, Recursive, Staged,
};
use futures::StreamExt;
use tokio::io::{DuplexStream, duplex};
use tokio_util::io::ReaderStream;

use super::fault::{bad_name, name_taken, of_content, of_core};

/// The operation under which files are written, for the journal.
const OPERATION: &str = "flows.content";

/// The files that a step puts out.
pub(super) struct Outputs<'a> {
    core: &'a Core,
    caller: &'a Caller,
    folder: &'a FolderPath,
    put: Vec<FlowFile>,
    names: HashSet<FilePath>,
}

impl<'a> Outputs<'a> {
    /// Begins with an empty folder: what is there was left by an earlier try.
    pub(super) async fn begin(
        core: &'a Core,
        caller: &'a Caller,
        out: &'a ContentOut,
    ) -> Result<Self, StepFault> {
        let outputs = Self {
            core,
            caller,
            folder: &out.folder,
            put: Vec::new(),
            names: HashSet::new(),
        };
        outputs.clear().await.map_err(|error| of_core(&error))?;
        Ok(outputs)
    }

    /// Puts a file out as it came.
    pub(super) fn pass(&mut self, file: &FlowFile) {
        self.put.push(file.clone());
    }

    /// Makes a file of what `make` writes. It is seen only when `make` has ended well: what it wrote may be unproven until
    /// then. `source` names what a fault is about.
    pub(super) async fn make<T, M, F>(
        &mut self,
        (name, source): (&str, &str),
        make: M,
    ) -> Result<T, StepFault>
    where
        M: FnOnce(DuplexStream) -> F,
        F: Future<Output = ContentResult<T>>,
    {
        let path = self.claim(name)?;
        let (staged, value) = self.stage(source, make).await?;
        self.place(path, staged).await?;
        Ok(value)
    }

    /// Makes a file of bytes that are at hand.
    pub(super) async fn write(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), StepFault> {
        let path = self.claim(name)?;
        let stream = futures::stream::once(async move { Ok(bytes.into()) }).boxed();
        let staged = self
            .core
            .files()
            .stage(self.caller, OPERATION, stream)
            .await;
        self.place(path, staged.map_err(|error| of_core(&error))?)
            .await
    }

    /// The place of a name below the step's folder, which no other file of this run has.
    fn claim(&mut self, name: &str) -> Result<FilePath, StepFault> {
        let path = self.path(name).ok_or_else(|| bad_name(name))?;
        if self.names.insert(path.clone()) {
            Ok(path)
        } else {
            Err(name_taken(name))
        }
    }

    fn path(&self, name: &str) -> Option<FilePath> {
        let (folders, name) = name.rsplit_once('/').unwrap_or(("", name));
        let mut folder = self.folder.clone();
        for part in folders.split('/').filter(|part| !part.is_empty()) {
            folder = folder.child(part.parse::<FileName>().ok()?).ok()?;
        }
        let path = folder.file(name.parse().ok()?);
        // What is too long or too deep shows when it is read again.
        path.to_string().parse().ok()
    }

    async fn stage<T, M, F>(&self, source: &str, make: M) -> Result<(Staged, T), StepFault>
    where
        M: FnOnce(DuplexStream) -> F,
        F: Future<Output = ContentResult<T>>,
    {
        let (near, far) = duplex(PIECE_BYTES);
        let stream = ReaderStream::with_capacity(far, PIECE_BYTES);
        let stream = stream.map(|piece| piece.map_err(Error::internal)).boxed();
        let files = self.core.files();
        let staging = files.stage(self.caller, OPERATION, stream);
        let (made, staged) = futures::join!(make(near), staging);
        match (made, staged) {
            (Ok(value), Ok(staged)) => Ok((staged, value)),
            // The library sees only that its output went away; why is told by who took it.
            (Ok(_) | Err(ContentError::Write(_) | ContentError::Abandoned), Err(error)) => {
                Err(of_core(&error))
            }
            (Err(error), _) => Err(of_content(source, &error)),
        }
    }

    async fn place(&mut self, path: FilePath, staged: Staged) -> Result<(), StepFault> {
        let new = NewFile {
            path,
            overwrite: true,
            content_type: None,
            hash: None,
            size_bytes: None,
            tags: Vec::new(),
            metadata: BTreeMap::new(),
            classification: None,
            operation: OPERATION,
        };
        let files = self.core.files();
        let placed = files
            .place(self.caller, staged, new, Precondition::Unasked)
            .await;
        let file = placed.map_err(|error| of_core(&error))?.file;
        self.put.push(FlowFile {
            file_id: file.id,
            name: file.path.name().clone(),
            path: file.path,
            size_bytes: file.size_bytes,
            hash: file.hash,
        });
        Ok(())
    }

    /// All of them.
    pub(super) fn finish(self) -> Vec<FlowFile> {
        self.put
    }

    /// Removes what was made. What cannot be removed now is removed when the step is run again, or with the run's folder.
    pub(super) async fn undo(self) {
        if let Err(error) = self.clear().await {
            tracing::info!(folder = %self.folder, error = %error, "the files of a failed step are left");
        }
    }

    /// Empties the folder for good.
    async fn clear(&self) -> Result<(), Error> {
        let mut page = PageRequest {
            limit: limit::PAGE_MAX,
            after: None,
        };
        let mut is_touched = false;
        loop {
            let query = FileQuery {
                below: Some(self.folder.clone()),
                ..FileQuery::default()
            };
            let files = self.core.files();
            let found = files.list(self.caller, query, page.clone()).await?;
            for file in &found.data {
                let file = FileRef::Id(file.id);
                let gone = files
                    .delete(self.caller, file, Purge::Yes, Precondition::Unasked)
                    .await;
                is_missing_or(gone)?;
                is_touched = true;
            }
            match found.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        if is_touched {
            let folders = self.core.folders();
            let folder = self.folder.clone();
            is_missing_or(folders.delete(self.caller, folder, Recursive::Yes).await)?;
        }
        Ok(())
    }
}

/// What is gone already, or a tree of empty folders too large for one go, is no fault.
fn is_missing_or(outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::FolderNotFound | ErrorKind::FolderNotEmpty
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}
