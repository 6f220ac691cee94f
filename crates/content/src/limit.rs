//! The limits of this crate, by name. Callers lower those that are fields of an order; nothing raises the others.

/// What one step moves between input and output at a time.
pub const PIECE_BYTES: usize = 64 * 1024;

/// A file of keys, armor included.
pub const KEY_FILE_BYTES_MAX: usize = 1024 * 1024;
/// Certificates in one file of keys.
pub const KEYS_IN_FILE_MAX: usize = 64;
/// Those who may open one message.
pub const RECIPIENTS_MAX: usize = 64;
/// Layers of one message: encryption, compression, signatures.
pub const MESSAGE_LAYERS_MAX: usize = 4;
/// Signatures on one message or in one file of signatures.
pub const SIGNATURES_MAX: usize = 16;
/// A file of detached signatures, armor included.
pub const SIGNATURE_FILE_BYTES_MAX: usize = 64 * 1024;
/// What a message may hold in a row without giving a byte of content: packets of padding are kept in memory by the parser.
pub const MESSAGE_SILENT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Smaller RSA keys are refused.
pub const RSA_BITS_MIN: usize = 2048;
/// How far the clock of a signer may be ahead of ours.
pub const CLOCK_SKEW_SECONDS_MAX: u32 = 300;

/// Bytes out for each byte in, beyond which compressed content is taken for a bomb.
pub const RATIO_MAX: u64 = 200;
/// Output below which the ratio is not looked at: small files of zeros are honest.
pub const RATIO_FREE_BYTES: u64 = 1024 * 1024;
/// Entries of one archive, by default.
pub const ENTRIES_MAX: u64 = 10_000;
/// Bytes of one entry's name, by default.
pub const ENTRY_NAME_BYTES_MAX: usize = 1024;
/// Extracted bytes of one archive, by default.
pub const EXTRACTED_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// The catalogue of a ZIP file, which is held in memory.
pub const ZIP_CATALOGUE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Extended headers before one entry of a tar file.
pub const TAR_EXTENSION_BYTES_MAX: u64 = 64 * 1024;
/// The zstd window a sender may demand of us, as a power of two.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Faults of one file that are told.
pub const FAULTS_MAX: usize = 100;
/// A field of a CSV file.
pub const CSV_FIELD_BYTES_MAX: usize = 64 * 1024;
/// Columns of a CSV file.
pub const CSV_COLUMNS_MAX: usize = 1024;
/// A JSON document, which is held in memory for a schema.
pub const JSON_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// A JSON Schema.
pub const SCHEMA_BYTES_MAX: usize = 256 * 1024;
/// Elements within elements of an XML document.
pub const XML_DEPTH_MAX: usize = 256;
/// One tag, text or comment of an XML document.
pub const XML_EVENT_BYTES_MAX: u64 = 1024 * 1024;
/// What is read to tell the type of content.
pub const SNIFF_BYTES: usize = 8 * 1024;
/// A compiled pattern of a rule.
pub const PATTERN_BYTES_MAX: usize = 256 * 1024;

/// A line of a file of checksums.
pub const CHECKSUM_LINE_BYTES_MAX: usize = 4 * 1024;
/// Lines of a file of checksums.
pub const CHECKSUM_LINES_MAX: usize = 100_000;
