use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::IntoResponse as _;
use bailee_api::File;
use bailee_core::{Core, NewFile};
use bailee_model::{Error, FilePath};
use http::{HeaderMap, header};

use crate::answer::Answer;
use crate::body;
use crate::caller::Authenticated;
use crate::digest::{CONTENT_DIGEST, REPR_DIGEST, sha256_of};
use crate::extract::{Guard, PathQuery, Query, file_path};
use crate::files::{created, found};

/// Media types that clients send when nobody told them one: the name's extension knows better.
const UNSAID: [&str; 2] = [
    "application/octet-stream",
    "application/x-www-form-urlencoded",
];

/// Write bytes to a path
///
/// The body is the file. A file that is there is replaced, unless `If-Match` or `If-None-Match: *` says otherwise.
/// `Repr-Digest` or `Content-Digest` (sha-256) is checked before anything is visible.
#[utoipa::path(put, path = "/files/content", operation_id = "files.write_content", tag = "files", params(PathQuery),
    request_body(content = Vec<u8>, description = "The bytes", content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "A new version at an occupied path", body = File),
        (status = 201, description = "The first file at the path", body = File)))]
pub(crate) async fn write_content(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<PathQuery>,
    Guard(guard): Guard,
    request: Request<Body>,
) -> Answer {
    let (head, content) = request.into_parts();
    let new = new_file(file_path(&query.path)?, &head.headers)?;
    let placed = core
        .files()
        .put(&caller, new, guard, body::stream(content))
        .await?;
    Ok(if placed.replaced {
        found(&placed.file)
    } else {
        created(&placed.file)
    }
    .into_response())
}

fn new_file(path: FilePath, headers: &HeaderMap) -> Result<NewFile, Error> {
    let digest = match sha256_of(headers, &REPR_DIGEST)? {
        Some(digest) => Some(digest),
        None => sha256_of(headers, &CONTENT_DIGEST)?,
    };
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    Ok(NewFile {
        path,
        overwrite: true,
        content_type: kind
            .filter(|kind| !UNSAID.contains(kind))
            .map(ToOwned::to_owned),
        hash: digest.map(hex::encode),
        size_bytes: body::declared_size(headers),
        tags: Vec::new(),
        metadata: BTreeMap::new(),
        classification: None,
        operation: "files.write_content",
    })
}
