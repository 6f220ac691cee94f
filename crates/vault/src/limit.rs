//! The bounds of this crate, by name.

/// Bytes of content a stage works on at once: four segments. Large enough that a system call and a wake-up are noise,
/// small enough that sixty-four uploads fit in the memory aim.
pub const BATCH_BYTES: usize = 4 * crate::SEGMENT_BYTES;

/// Batches of one upload that may exist at once, over all stages. A fourth was measured to gain nothing.
pub const BATCHES_MAX: usize = 3;

/// Full-size batches of all uploads together: 24 MiB. An upload that finds none left goes on with one segment at a time, so
/// that beyond this a further upload costs [`SEGMENT_BYTES`](crate::SEGMENT_BYTES) whatever it sends.
pub const BATCHES_ALL_MAX: usize = 96;

/// Buffers that are kept for the next upload when none is under way.
pub const BATCHES_KEPT: usize = 8;

/// Threads that write for all uploads together. Most of them sleep in a sync, which the disk takes together.
pub const WRITERS_MAX: usize = 24;

/// Content that may be returned inline instead of being written to a file, whatever the caller asks for.
pub const INLINE_BYTES_MAX: usize = BATCH_BYTES;

/// The format's own bound: a 32-bit segment counter.
pub const BLOB_BYTES_MAX: u64 = (1 << 32) * crate::SEGMENT_BYTES as u64;

/// How much of the beginning is looked at to guess a media type.
pub const SNIFF_BYTES: usize = 8 * 1024;

/// Written bytes after which the kernel is asked to begin writing back, so that the final sync finds little to do. Measured:
/// a tenth to a quarter more for one large stream; smaller files gain nothing and are left alone.
pub const WRITE_BACK_BYTES: u64 = 16 * 1024 * 1024;

/// The longest root key file that is read: far above the one line it holds.
pub const ROOT_KEY_FILE_BYTES_MAX: u64 = 4096;
