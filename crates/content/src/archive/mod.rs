//! Archives: made and taken apart entry by entry, in bounded memory.
//!
//! Taking apart is a conversation: [`Entries::next`] gives an entry, then its pieces, then the next entry. Whatever could place
//! bytes where nobody expects them is refused with the entry's name: names that climb, absolute names, links, devices, duplicates,
//! entries that share bytes, sizes that two places tell differently. Archives within archives are files like others.
//!
//! A fault ends the whole archive. Some are known at its end only, so entries count when [`Event::End`] has come.

mod compress;
mod error;
mod extract;
mod name;
mod pack;
mod tar_read;
mod tar_write;
mod zip_catalogue;
mod zip_read;

pub use compress::{Compression, compress, decompress};
pub use error::{ArchiveError, EntryFault};
pub use extract::{Caps, Entries, Entry, Event, Summary, extract_tar, extract_zip};
pub use pack::{Format, NewEntry, Packer};
