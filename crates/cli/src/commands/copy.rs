//! `bailee cp`: first a plan of single files, then all of them, some at once.

use std::path::PathBuf;
use std::time::Duration;

use bailee_client::api::{CopyFile, File};
use bailee_client::model::FileId;
use bailee_client::{Client, DownloadOptions, UploadOptions};
use futures::StreamExt as _;

use super::{copy_down, copy_up, view};
use crate::args::CpArgs;
use crate::bars::{Bars, size};
use crate::place::{Place, join};
use crate::session::Session;
use crate::{Failure, failure::visible};

/// One thing to do.
pub(super) enum Task {
    /// A local file into Bailee.
    Up { source: PathBuf, target: String },
    /// An empty folder in Bailee.
    Folder { target: String },
    /// A version from Bailee to this machine.
    Down {
        file: FileId,
        path: String,
        size: u64,
        target: PathBuf,
    },
    /// A version to another path in Bailee.
    Within {
        file: FileId,
        path: String,
        target: String,
    },
}

/// One `cp`.
struct Job<'a> {
    session: &'a Session,
    client: &'a Client,
    args: &'a CpArgs,
    bars: Bars,
}

pub(super) async fn run(session: &Session, client: &Client, args: CpArgs) -> Result<(), Failure> {
    let Some((destination, sources)) = args.paths.split_last() else {
        return Ok(());
    };
    let job = Job {
        session,
        client,
        args: &args,
        bars: Bars::new(session.global.quiet),
    };
    match (sources, destination) {
        ([Place::Standard], Place::Bailee(_)) => job.stdin_to(destination).await,
        ([source @ (Place::Bailee(_) | Place::Version(_))], Place::Standard) => {
            super::file::to_stdout(client, source).await
        }
        _ => {
            let tasks = plan(client, sources, destination, args.recursive).await?;
            job.all(tasks).await
        }
    }
}

async fn plan(
    client: &Client,
    sources: &[Place],
    destination: &Place,
    recursive: bool,
) -> Result<Vec<Task>, Failure> {
    let several = sources.len() > 1;
    let mut tasks = Vec::new();
    match destination {
        Place::Bailee(_) => {
            let folder = destination.bailee_path()?;
            let into = several || destination.says_folder() || is_folder(client, &folder).await?;
            for source in sources {
                let target = if into {
                    join(&folder, &named(source)?)
                } else {
                    folder.clone()
                };
                match source {
                    Place::Local(path) => copy_up::plan(path, &target, recursive, &mut tasks)?,
                    Place::Bailee(_) | Place::Version(_) => {
                        let file = super::file::find(client, source).await?;
                        tasks.push(Task::Within {
                            file: file.file_id,
                            path: file.path,
                            target,
                        });
                    }
                    _ => return Err(misplaced(source)),
                }
            }
        }
        Place::Local(path) => {
            let into = several || destination.says_folder() || path.is_dir();
            for source in sources {
                if !matches!(source, Place::Bailee(_) | Place::Version(_)) {
                    return Err(misplaced(source));
                }
                let into = copy_down::Into {
                    folder: into,
                    recursive,
                };
                copy_down::plan(client, source, path, into, &mut tasks).await?;
            }
        }
        _ => return Err(misplaced(destination)),
    }
    Ok(tasks)
}

fn misplaced(place: &Place) -> Failure {
    let hint = match place {
        Place::Remote { .. } => {
            "Remotes are the server's matter: bailee transfer create --from … --to …"
        }
        _ => "One side is in Bailee: :/inbox/ or bailee:/inbox/. Examples: bailee cp --help",
    };
    Failure::usage(format!("`{place}` cannot be copied this way"), hint)
}

fn named(source: &Place) -> Result<String, Failure> {
    source.name().ok_or_else(|| {
        Failure::usage(
            format!("`{source}` has no name to keep"),
            "Give the full path of the copy.",
        )
    })
}

async fn is_folder(client: &Client, path: &str) -> Result<bool, Failure> {
    if path == "/" {
        return Ok(true);
    }
    match client.folders().stat(path).await {
        Ok(_) => Ok(true),
        Err(error) if error.status() == Some(404) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Job<'_> {
    async fn all(&self, tasks: Vec<Task>) -> Result<(), Failure> {
        let total = tasks.len();
        if total == 0 {
            self.session.say("nothing to copy");
        }
        let at_once = usize::from(self.args.jobs);
        let mut results = futures::stream::iter(tasks)
            .map(|task| self.one(task))
            .buffer_unordered(at_once);
        let (mut failed, mut first) = (0, None);
        while let Some(result) = results.next().await {
            if let Err(failure) = result {
                failed += 1;
                if total > 1 {
                    self.bars.suspend(|| eprintln!("{}", failure.lines()));
                }
                first.get_or_insert(failure);
            }
        }
        match first {
            None => Ok(()),
            Some(only) if total == 1 => Err(only),
            Some(first) => Err(Failure::Several {
                failed,
                total,
                code: first.exit_code(),
            }),
        }
    }

    async fn one(&self, task: Task) -> Result<(), Failure> {
        match task {
            Task::Up { source, target } => {
                let bar = self.bars.file(&target, Some(0));
                let options = UploadOptions {
                    overwrite: self.args.overwrite,
                    parallel: usize::from(self.args.parts),
                    checkpoint: copy_up::checkpoint(
                        self.session,
                        self.client,
                        &source,
                        &target,
                        !self.args.no_resume,
                    ),
                    on_progress: Some(bar.listener()),
                };
                let file = self.client.upload_file(&source, &target, options).await?;
                drop(bar);
                self.tell(&source.display().to_string(), &file.path, &file)
            }
            Task::Folder { target } => {
                self.client.folders().create(&target).await?;
                Ok(())
            }
            Task::Down {
                file,
                path,
                size,
                target,
            } => {
                copy_down::make_parent(&target)?;
                let bar = self.bars.file(&path, Some(size));
                let options = DownloadOptions {
                    overwrite: self.args.overwrite,
                    on_progress: Some(bar.listener()),
                };
                let file = self.client.download_file(file, &target, options).await?;
                drop(bar);
                self.tell(&path, &target.display().to_string(), &file)
            }
            Task::Within { file, path, target } => {
                let copy = CopyFile {
                    path: target,
                    overwrite: self.args.overwrite,
                };
                let file = self.client.files().copy(file, &copy).await?;
                self.tell(&path, &file.path, &file)
            }
        }
    }

    async fn stdin_to(&self, destination: &Place) -> Result<(), Failure> {
        if destination.says_folder() {
            return Err(Failure::usage(
                "stdin has no name to keep",
                "Give the full path of the file.",
            ));
        }
        let target = destination.bailee_path()?;
        let bar = self.bars.file(&target, None);
        let options = UploadOptions {
            overwrite: self.args.overwrite,
            parallel: usize::from(self.args.parts),
            checkpoint: None,
            on_progress: Some(bar.listener()),
        };
        let file = self
            .client
            .upload_stream(tokio::io::stdin(), &target, options)
            .await?;
        drop(bar);
        self.tell("-", &file.path, &file)
    }

    fn tell(&self, from: &str, to: &str, file: &File) -> Result<(), Failure> {
        if self.session.global.quiet && self.session.output.is_table() {
            return Ok(());
        }
        let hash = file.hash.get(..12).unwrap_or(&file.hash);
        let line = format!(
            "✓ {} → {}  {}  sha256 {hash}…  {}",
            visible(from),
            visible(to),
            size(file.size),
            file.file_id
        );
        self.bars
            .suspend(|| self.session.output.line(&line, file, view::FILE))
    }
}

/// What `cp` says when Ctrl-C stops it.
pub(crate) const RESUME_HINT: &str = "Give the same command again: it goes on where it stopped.";

/// Longest life of what an interrupted upload leaves on this machine: the server forgets its session then, too.
pub(super) const CHECKPOINT_LIFE: Duration = Duration::from_hours(7 * 24);
