use bailee_api::UploadSession;
use bailee_model::{Part, Upload, limit};

/// An upload as clients see it.
pub(super) fn view(upload: &Upload, parts: &[Part]) -> UploadSession {
    UploadSession {
        session_id: upload.id,
        state: upload.state.into(),
        destination: upload.path.folder().to_string(),
        filename: upload.path.name().to_string(),
        size: upload.size_bytes,
        part_size: upload.part_size,
        max_part_size: limit::PART_BYTES_MAX,
        max_parts: limit::PARTS_MAX,
        max_concurrency: limit::PART_CONCURRENCY_MAX,
        received: parts.iter().map(|part| part.number).collect(),
        bytes_received: parts.iter().map(|part| part.size_bytes).sum(),
        file_id: upload.file,
        expires_at: upload.expires_at,
    }
}
