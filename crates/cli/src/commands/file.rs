use bailee_client::api::{ChangeFile, File};
use bailee_client::{Client, DownloadOptions, FileQuery, FileRef, hash_file};

use super::view;
use crate::Failure;
use crate::args::{LsArgs, MvArgs, PathArgs, RmArgs, VerifyArgs};
use crate::place::{Place, join};
use crate::session::Session;

/// Longest listing that is held in memory at once.
const ROWS_MAX: usize = 1_000_000;

/// The file that a place names.
pub(super) async fn find(client: &Client, place: &Place) -> Result<File, Failure> {
    let reference = reference(place)?;
    Ok(client.files().stat(reference).await?)
}

fn reference(place: &Place) -> Result<FileRef, Failure> {
    match place {
        Place::Version(id) => Ok(FileRef::Id(*id)),
        place => Ok(FileRef::Path(place.bailee_path()?)),
    }
}

pub(super) async fn ls(session: &Session, client: &Client, args: LsArgs) -> Result<(), Failure> {
    let path = args.path.bailee_path()?;
    if args.recursive {
        let query = FileQuery {
            path_prefix: Some(path),
            ..FileQuery::default()
        };
        let mut files = client.files().list(&query).take(ROWS_MAX).await?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        return session.output.list(&files, view::FILE);
    }
    let children = client.folders().children(&path).take(ROWS_MAX).await;
    match children {
        Ok(rows) => session.output.list(&rows, view::ENTRY),
        // `ls` of a file lists the file.
        Err(error) if error.status() == Some(404) => match client.files().stat(path.as_str()).await
        {
            Ok(file) => session.output.list(&[file], view::FILE),
            Err(_) => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn stat(
    session: &Session,
    client: &Client,
    args: PathArgs,
) -> Result<(), Failure> {
    match find(client, &args.path).await {
        Ok(file) => session.output.one(&file, view::FILE),
        Err(missing) if missing.exit_code() == crate::exit::NOT_FOUND => {
            let Place::Bailee(_) = args.path else {
                return Err(missing);
            };
            match client.folders().stat(&args.path.bailee_path()?).await {
                Ok(folder) => session.output.one(&folder, view::FOLDER),
                Err(_) => Err(missing),
            }
        }
        Err(failure) => Err(failure),
    }
}

pub(super) async fn mkdir(
    session: &Session,
    client: &Client,
    args: PathArgs,
) -> Result<(), Failure> {
    let folder = client.folders().create(&args.path.bailee_path()?).await?;
    session.output.line(&folder.path, &folder, view::FOLDER)
}

pub(super) async fn mv(session: &Session, client: &Client, args: MvArgs) -> Result<(), Failure> {
    let to = args.destination.bailee_path()?;
    let into =
        args.destination.says_folder() || to == "/" || client.folders().stat(&to).await.is_ok();
    match find(client, &args.source).await {
        Ok(file) => {
            let path = if into { join(&to, &file.name) } else { to };
            let change = ChangeFile {
                path: Some(path),
                ..ChangeFile::default()
            };
            let moved = client.files().change(file.file_id, &change).await?;
            let line = format!("{} → {}", file.path, moved.path);
            session.output.line(&line, &moved, view::FILE)
        }
        Err(missing) if missing.exit_code() == crate::exit::NOT_FOUND => {
            let from = args.source.bailee_path()?;
            let path = match args.source.name() {
                Some(name) if into => join(&to, &name),
                _ => to,
            };
            let moved = match client.folders().rename(&from, &path).await {
                Err(error) if error.status() == Some(404) => return Err(missing),
                other => other?,
            };
            session
                .output
                .line(&format!("{from} → {}", moved.path), &moved, view::FOLDER)
        }
        Err(failure) => Err(failure),
    }
}

pub(super) async fn rm(session: &Session, client: &Client, args: RmArgs) -> Result<(), Failure> {
    if args.recursive {
        let names: Vec<_> = args.paths.iter().map(ToString::to_string).collect();
        session.confirm(&format!("delete {} with all it holds?", names.join(", ")))?;
    }
    for place in &args.paths {
        let deleted = client.files().delete(reference(place)?).await;
        match deleted {
            Ok(()) => {}
            Err(error) if error.status() == Some(404) && matches!(place, Place::Bailee(_)) => {
                remove_folder(client, &place.bailee_path()?, args.recursive, error).await?;
            }
            Err(error) => return Err(error.into()),
        }
        session.say(&format!("deleted {place}"));
    }
    Ok(())
}

/// `missing` is what looking for a file of that name said.
async fn remove_folder(
    client: &Client,
    path: &str,
    recursive: bool,
    missing: bailee_client::Error,
) -> Result<(), Failure> {
    let folders = client.folders();
    let deleted = if recursive {
        folders.delete_all(path).await
    } else {
        folders.delete(path).await
    };
    match deleted {
        Err(error) if error.status() == Some(404) => Err(missing.into()),
        Err(error) if error.code() == "folder_not_empty" => Err(Failure::usage(
            format!(":{path} is not empty"),
            "Add -r to delete it with all it holds.",
        )),
        other => Ok(other?),
    }
}

pub(super) async fn cat(client: &Client, args: PathArgs) -> Result<(), Failure> {
    to_stdout(client, &args.path).await
}

pub(super) async fn to_stdout(client: &Client, place: &Place) -> Result<(), Failure> {
    let mut out = tokio::io::stdout();
    client
        .download_to(reference(place)?, &mut out, DownloadOptions::default())
        .await?;
    Ok(())
}

pub(super) async fn verify(
    session: &Session,
    client: &Client,
    args: VerifyArgs,
) -> Result<(), Failure> {
    let file = find(client, &args.remote).await?;
    let local = hash_file(&args.local).await?.hex();
    let same = local == file.hash;
    let facts = serde_json::json!({
        "same": same, "local_hash": local, "hash": file.hash, "file_id": file.file_id, "path": file.path, "size": file.size,
    });
    let (local_name, place) = (args.local.display(), &args.remote);
    if same {
        let line = format!("✓ {local_name} and {place} are the same  sha256 {local}");
        return session.output.line(&line, &facts, view::COMPARISON);
    }
    if !session.output.is_table() {
        session.output.one(&facts, view::COMPARISON)?;
    }
    Err(Failure::Mismatch(format!(
        "{local_name} and {place} differ: sha256 {local} and {}",
        file.hash
    )))
}
