//! The bounds of the protocol, by name.

use std::time::Duration;

use crate::parts::Bounds;

/// Bytes of the smallest part that we send. The protocol takes 5 MiB and more, and less at the end only.
pub(super) const PART_BYTES_MIN: u64 = 8 * 1024 * 1024;
/// Bytes of one part at most, by the protocol's rule.
pub(super) const PART_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// Streamed parts are a multiple of this, except the last.
pub(super) const PART_BYTES_STEP: u64 = 1024 * 1024;
/// Parts of one object, by the protocol's rule.
pub(super) const PARTS_MAX: u64 = 10_000;
/// Bytes of a part that one request copies, unless more are needed.
pub(super) const COPY_PART_BYTES: u64 = 1024 * 1024 * 1024;
/// Bytes of an object that one request copies, by the protocol's rule.
pub(super) const COPY_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// Parts of an object that are copied at the same time.
pub(super) const COPIES_AT_ONCE: usize = 4;
/// Bytes of a request's body that are handed over at once.
pub(super) const PIECE_BYTES: usize = 256 * 1024;
/// How long the far side may take to answer a request whose whole body it was sent.
pub(super) const PART_ANSWER_TIME_MAX: Duration = Duration::from_mins(2);
/// Of each request.
pub(super) const REQUEST: Bounds = Bounds {
    piece_bytes_max: PIECE_BYTES,
    answer_time_max: PART_ANSWER_TIME_MAX,
};
/// How long the far side may take to put an object together, or to copy one.
pub(super) const WHOLE_ANSWER_TIME_MAX: Duration = Duration::from_mins(10);
/// Entries on one page, by the protocol's rule.
pub(super) const PAGE_ENTRIES_MAX: usize = 1_000;
/// Bytes of the name of a bucket or region.
pub(super) const NAME_BYTES_MAX: usize = 255;
/// Bytes of one label of a host name.
pub(super) const LABEL_BYTES_MAX: usize = 63;
/// Bytes of the id of an upload.
pub(super) const UPLOAD_ID_BYTES_MAX: usize = 2_048;
/// Bytes of an entity tag.
pub(super) const TAG_BYTES_MAX: usize = 256;
/// Headers of an object that a copy in parts carries over.
pub(super) const KEPT_HEADERS_MAX: usize = 64;
