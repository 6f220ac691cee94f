use std::collections::BTreeMap;

use axum::extract::State;
use bailee_api::{ChangeFile, File, Patch};
use bailee_core::{Core, FileChange, FileRef};
use bailee_model::{Error, FileId, FileName};

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Guard, Id, Json, file_path};
use crate::files::found;

/// Rename, move, tag or classify a file
///
/// The bytes of a `file_id` never change.
#[utoipa::path(patch, path = "/files/{file_id}", operation_id = "files.update", tag = "files",
    params(("file_id" = String, Path, description = "The file version")),
    request_body = ChangeFile,
    responses((status = 200, description = "The file as it is now", body = File)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FileId>,
    Guard(guard): Guard,
    Json(wish): Json<ChangeFile>,
) -> Answer {
    let now = core.files().stat(&caller, FileRef::Id(id)).await?;
    let change = change(wish, &now)?;
    let file = core.files().update(&caller, id, change, guard).await?;
    Ok(found(&file))
}

fn change(wish: ChangeFile, now: &bailee_model::File) -> Result<FileChange, Error> {
    let path = match (wish.path, wish.name) {
        (Some(_), Some(_)) => {
            let detail = "Give `path` or `name`, not both.";
            return Err(Error::field("#/name", "conflicting", detail));
        }
        (Some(path), None) => Some(file_path(&path)?),
        (None, Some(name)) => Some(now.path.folder().file(name.parse::<FileName>()?)),
        (None, None) => None,
    };
    Ok(FileChange {
        path,
        tags: match wish.tags {
            Patch::Keep => None,
            Patch::Clear => Some(Vec::new()),
            Patch::Set(tags) => Some(tags),
        },
        metadata: match wish.metadata {
            Patch::Keep => None,
            Patch::Clear => Some(
                now.metadata
                    .keys()
                    .map(|key| (key.clone(), None))
                    .collect::<BTreeMap<_, _>>(),
            ),
            Patch::Set(entries) => Some(entries),
        },
        classification: match wish.classification {
            Patch::Keep => None,
            Patch::Clear => Some(None),
            Patch::Set(word) => Some(Some(word)),
        },
    })
}
