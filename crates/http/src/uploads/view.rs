use bailee_api::UploadSession;
use bailee_core::HeldUpload;
use bailee_model::{Part, Upload, limit};

/// An upload as clients see it.
pub(super) fn view(upload: &Upload, parts: &[Part]) -> UploadSession {
    let numbers = parts.iter().map(|part| part.number).collect();
    let bytes = parts.iter().map(|part| part.size_bytes).sum();
    with_parts(upload, numbers, bytes)
}

/// The same in a list.
pub(super) fn listed(held: &HeldUpload) -> UploadSession {
    with_parts(&held.upload, held.numbers.clone(), held.bytes)
}

fn with_parts(upload: &Upload, received: Vec<u32>, bytes_received: u64) -> UploadSession {
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
        received,
        bytes_received,
        file_id: upload.file,
        expires_at: upload.expires_at,
    }
}
