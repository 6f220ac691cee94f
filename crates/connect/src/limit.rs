//! The bounds of this crate, by name. Whatever a far system sends or withholds stays within them.

use std::time::Duration;

/// How long a TCP connection may take to open.
pub(crate) const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// How long handshake and sign-in may take together.
pub(crate) const SIGN_IN_TIME_MAX: Duration = Duration::from_secs(20);
/// How long a far system may stay silent within one operation.
pub(crate) const IDLE_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a hang-up may take before the connection is simply dropped.
pub(crate) const CLOSE_TIME_MAX: Duration = Duration::from_secs(2);
/// The backstop for a single SFTP request. Above [`IDLE_TIME_MAX`], because a request that waits behind others on a
/// slow line is not idle.
pub(crate) const SFTP_REQUEST_TIME_MAX: Duration = Duration::from_mins(10);
/// A keep-alive is sent on a silent SSH connection after this time.
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// So many unanswered keep-alives end an SSH connection.
pub(crate) const KEEPALIVES_UNANSWERED_MAX: usize = 3;
/// How long a connection that gave no answer to a sign-in may take to show that it has ended.
pub(crate) const SIGN_IN_END: Duration = Duration::from_millis(500);
/// Rounds of questions a server may ask in keyboard-interactive sign-in.
pub(crate) const SIGN_IN_ROUNDS_MAX: usize = 4;
/// Questions a server may ask in one round.
pub(crate) const SIGN_IN_PROMPTS_MAX: usize = 4;

/// Receive window of an SSH channel.
pub(crate) const SSH_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
/// Largest SSH packet; the crate's bound.
pub(crate) const SSH_PACKET_BYTES: u32 = 65_535;
/// Largest SFTP packet taken from a server.
pub(crate) const SFTP_PACKET_BYTES_MAX: u32 = 256 * 1024;
/// Bytes of a read or write request when the server states no limits: what every server must take.
pub(crate) const SFTP_CHUNK_BYTES: usize = 32 * 1024;
/// Bytes of a read or write request at most, whatever the server allows: 255 KiB, as OpenSSH does.
pub(crate) const SFTP_CHUNK_BYTES_MAX: usize = 255 * 1024;
/// Bytes asked for or sent and not yet answered, per stream.
pub(crate) const IN_FLIGHT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Requests in flight per stream, at most.
pub(crate) const IN_FLIGHT_REQUESTS_MAX: usize = 64;
/// Requests in flight when a stream begins; it grows with each full answer, so small files cost few requests.
pub(crate) const IN_FLIGHT_REQUESTS_FIRST: usize = 4;
/// Bytes of one read from a local file.
pub(crate) const LOCAL_CHUNK_BYTES: usize = 256 * 1024;

/// Entries of one listing, at most.
pub(crate) const LIST_ENTRIES_MAX: usize = 10_000;
/// Entries of one folder that are looked at for a page of it, at most.
pub(crate) const SCAN_ENTRIES_MAX: usize = 2_000_000;
/// Bytes of one segment of a remote path.
pub(crate) const SEGMENT_BYTES_MAX: usize = 255;
/// Bytes of a remote path.
pub(crate) const PATH_BYTES_MAX: usize = 4_096;
/// Characters of a far system's own words that are shown.
pub(crate) const FAR_WORDS_CHARS_MAX: usize = 200;

/// Addresses of one name that are tried.
pub(crate) const ADDRESSES_TRIED_MAX: usize = 6;

/// Bytes of an answer's body that are kept.
pub(crate) const ANSWER_KEPT_BYTES_MAX: usize = 4 * 1024;
/// Bytes of an answer's body that are read before the connection is given up.
pub(crate) const ANSWER_READ_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an answer's status line and headers.
pub(crate) const ANSWER_HEAD_BYTES_MAX: usize = 64 * 1024;
/// Headers of an answer.
pub(crate) const ANSWER_HEADERS_MAX: usize = 100;
/// Idle connections kept for one receiver.
pub(crate) const IDLE_CONNECTIONS_PER_HOST_MAX: usize = 8;
/// Receivers for which idle connections are kept.
pub(crate) const IDLE_HOSTS_MAX: usize = 1_024;
/// How long an idle connection is kept.
pub(crate) const IDLE_CONNECTION_TIME_MAX: Duration = Duration::from_secs(30);

/// Bytes of a writer's token, at most.
pub const TOKEN_BYTES_MAX: usize = 1_048_576;
/// Bytes of a listing or another answer that is held in memory.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of one line that an FTP server says.
pub(crate) const FTPS_LINE_BYTES_MAX: usize = 16 * 1024;
/// Bytes of one reply of an FTP server.
pub(crate) const FTPS_REPLY_BYTES_MAX: usize = 64 * 1024;
/// Control connections to one FTP server at the same time.
pub(crate) const FTPS_CONNECTIONS_MAX: usize = 8;
/// TLS tickets kept for one control connection.
pub(crate) const FTPS_TICKETS_MAX: usize = 8;
/// Bytes of one read from or write to a data connection.
pub(crate) const FTPS_READ_BYTES: usize = 64 * 1024;
/// So many idle times the word is waited for that a written file is there: what this machine still holds goes out first.
pub(crate) const FTPS_CONFIRM_IDLE_TIMES: u32 = 4;
/// Bytes written without a checkpoint, at most, where making one takes long.
pub(crate) const FTPS_UNCONFIRMED_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// A checkpoint is left out until this many times as long has passed as the last one took.
pub(crate) const FTPS_CHECKPOINT_TIMES: u32 = 10;
/// Time between two looks at a far file that may still be growing.
pub(crate) const FTPS_SETTLE_TIME: Duration = Duration::from_millis(250);
/// Looks at a far file until it is taken to grow for good.
pub(crate) const FTPS_SETTLE_LOOKS_MAX: usize = 40;

/// Bytes of one piece of a body that is sent over HTTP: what must get through within [`IDLE_TIME_MAX`].
pub(crate) const BODY_PIECE_BYTES_MAX: usize = 64 * 1024;
/// Pieces of such a body that wait to be sent.
pub(crate) const BODY_PIECES_WAITING_MAX: usize = 4;
/// Bytes held of a body of unknown length, so that small ones go out with their length: some servers want it.
pub(crate) const SMALL_BODY_BYTES_MAX: usize = 256 * 1024;
/// How long a far system may work on what it has been given: move a file to its place, join parts, copy.
pub(crate) const FAR_WORK_TIME_MAX: Duration = Duration::from_mins(5);

/// Depth of an XML document.
pub(crate) const XML_DEPTH_MAX: usize = 32;
/// Bytes of an address in a multi-status: a path whose every byte is written as three.
pub(crate) const HREF_BYTES_MAX: usize = 4 * PATH_BYTES_MAX;

/// Bytes of a part of a file that is written in parts, at least, but for the last.
pub(crate) const PART_BYTES_MIN: u64 = 8 * 1024 * 1024;
/// Parts of an upload to another Bailee.
pub(crate) const BAILEE_PARTS_MAX: u64 = 10_000;
/// Bytes of a part there.
pub(crate) const BAILEE_PART_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Entries of a page of a listing there.
pub(crate) const BAILEE_PAGE_ENTRIES: usize = 500;
/// Pages of a listing: as many as the entries that are kept need, and some for those that are not.
pub(crate) const BAILEE_PAGES_MAX: usize = 2 * LIST_ENTRIES_MAX / BAILEE_PAGE_ENTRIES;

/// Pages of one listing of an object store.
pub(crate) const LIST_PAGES_MAX: usize = 1_000;
/// Pages of a listing of which only one page of ours is wanted.
pub(crate) const SCAN_PAGES_MAX: usize = SCAN_ENTRIES_MAX / 500;
/// How long a copy at the far side may take.
pub(crate) const COPY_TIME_MAX: Duration = Duration::from_mins(30);
/// How often the far side is asked whether a copy is done.
pub(crate) const COPY_ASK_INTERVAL: Duration = Duration::from_secs(1);
/// Bytes of a part that is held before it is sent.
pub(crate) const HELD_PART_BYTES: usize = 8 * 1024 * 1024;
