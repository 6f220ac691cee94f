//! Sealed bytes in files: segments of 64 KiB, each with its tag, sixteen of them in one write.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{self, SHA256};
use rustix::fs::{Advice, FallocateFlags};

/// Plain bytes of a segment.
pub const SEGMENT_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
const SEALED_BYTES: usize = SEGMENT_BYTES + TAG_BYTES;
/// Segments in a buffer: 1 MiB goes to the kernel at once.
const SEGMENTS: usize = 16;
/// The disk starts on what has been written whenever it is so much, rather than all at the sync.
const WRITE_BACK_BYTES: u64 = 8 * 1024 * 1024;
/// From this size on, the file's room is reserved before the first byte.
const RESERVE_BYTES: u64 = 8 * 1024 * 1024;

/// The folder of sealed files.
pub struct Blobs {
    folder: PathBuf,
    handle: File,
    data_key: LessSafeKey,
    next: AtomicU64,
    entries: SharedSync,
}

/// Where the bytes are and what they are.
pub struct Stored {
    /// Its name, and half of its nonces.
    pub number: u64,
    /// SHA-256 of the plain bytes.
    pub digest: digest::Digest,
}

impl Blobs {
    /// Makes the folder; numbers count up from `next`.
    pub fn create(folder: &Path, next: AtomicU64) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut random = [0_u8; 32];
        File::open("/dev/urandom")?.read_exact(&mut random)?;
        Ok(Self {
            folder: folder.to_owned(),
            handle: File::open(folder)?,
            data_key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &random)?),
            next,
            entries: SharedSync::default(),
        })
    }

    /// A number that no blob has yet.
    pub fn next_number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Hashes, seals, writes and syncs `size_bytes` of `source`. `buffer` is reused from call to call.
    pub fn write(
        &self,
        source: &mut impl Read,
        size_bytes: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<Stored> {
        let number = self.next_number();
        let mut file = File::create(self.path(number))?;
        if size_bytes >= RESERVE_BYTES {
            let room = size_bytes.div_ceil(SEGMENT_BYTES as u64) * SEALED_BYTES as u64;
            rustix::fs::fallocate(&file, FallocateFlags::KEEP_SIZE, 0, room)?;
        }
        buffer.resize(SEGMENTS * SEALED_BYTES, 0);
        let mut hasher = digest::Context::new(&SHA256);
        let mut left = size_bytes;
        let mut segment = 0;
        let (mut written, mut begun) = (0, 0);
        while left > 0 {
            let mut filled = 0;
            for room in buffer.chunks_exact_mut(SEALED_BYTES) {
                let plain = left.min(SEGMENT_BYTES as u64) as usize;
                if plain == 0 {
                    break;
                }
                let (bytes, rest) = room.split_at_mut(plain);
                source.read_exact(bytes)?;
                hasher.update(bytes);
                let tag = self.seal(number, segment, bytes)?;
                for (to, from) in rest.iter_mut().zip(tag.as_ref()) {
                    *to = *from;
                }
                filled += plain + TAG_BYTES;
                left -= plain as u64;
                segment += 1;
            }
            file.write_all(buffer.get(..filled).unwrap_or_default())?;
            written += filled as u64;
            if written - begun >= WRITE_BACK_BYTES {
                // Of pages that are still dirty this lets go none; it only starts their way to the disk.
                rustix::fs::fadvise(
                    &file,
                    begun,
                    NonZeroU64::new(written - begun),
                    Advice::DontNeed,
                )?;
                begun = written;
            }
        }
        file.sync_data()?;
        self.entries.wait(|| self.handle.sync_all())?;
        Ok(Stored {
            number,
            digest: hasher.finish(),
        })
    }

    /// Opens a blob and hands its plain bytes to `sink`, as many segments at once as the buffer has.
    pub fn read(
        &self,
        number: u64,
        size_bytes: u64,
        buffer: &mut Vec<u8>,
        mut sink: impl FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Result<()> {
        let mut file = File::open(self.path(number))?;
        buffer.resize(SEGMENTS * SEALED_BYTES, 0);
        let mut left = size_bytes;
        let mut segment = 0;
        while left > 0 {
            let segments = left.div_ceil(SEGMENT_BYTES as u64).min(SEGMENTS as u64);
            let plain = left.min(segments * SEGMENT_BYTES as u64);
            let sealed = (plain + segments * TAG_BYTES as u64) as usize;
            let bytes = buffer.get_mut(..sealed).context("the buffer is full")?;
            file.read_exact(bytes)?;
            for room in bytes.chunks_mut(SEALED_BYTES) {
                sink(self.open(number, segment, room)?)?;
                segment += 1;
            }
            left -= plain;
        }
        Ok(())
    }

    /// Seals one segment in place; the tag goes behind it.
    pub fn seal(
        &self,
        number: u64,
        segment: u32,
        bytes: &mut [u8],
    ) -> Result<aws_lc_rs::aead::Tag> {
        self.data_key
            .seal_in_place_separate_tag(nonce(number, segment), Aad::empty(), bytes)
            .map_err(|_| anyhow!("cannot seal"))
    }

    /// Opens one segment with its tag in place.
    pub fn open<'b>(&self, number: u64, segment: u32, bytes: &'b mut [u8]) -> Result<&'b [u8]> {
        self.data_key
            .open_in_place(nonce(number, segment), Aad::empty(), bytes)
            .map(|plain| &*plain)
            .map_err(|_| anyhow!("segment {segment} of blob {number} is damaged"))
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:016x}"))
    }
}

fn nonce(number: u64, segment: u32) -> Nonce {
    let mut nonce = [0_u8; 12];
    let (high, low) = nonce.split_at_mut(8);
    high.copy_from_slice(&number.to_le_bytes());
    low.copy_from_slice(&segment.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// One sync for all who asked before it began.
#[derive(Default)]
struct SharedSync {
    state: Mutex<SyncState>,
    done: Condvar,
}

#[derive(Default)]
struct SyncState {
    is_running: bool,
    /// Syncs that have begun, and those that have ended.
    begun: u64,
    ended: u64,
    has_failed: bool,
}

impl SharedSync {
    /// Returns after a sync that began after this call. Whoever finds none running runs it.
    fn wait(&self, sync: impl Fn() -> std::io::Result<()>) -> Result<()> {
        let poisoned = || anyhow!("a sync failed before");
        let mut state = self.state.lock().map_err(|_| poisoned())?;
        let wanted = state.begun + 1;
        while state.ended < wanted {
            if state.has_failed {
                return Err(poisoned());
            }
            if state.is_running {
                state = self.done.wait(state).map_err(|_| poisoned())?;
                continue;
            }
            state.is_running = true;
            state.begun += 1;
            drop(state);
            let result = sync();
            state = self.state.lock().map_err(|_| poisoned())?;
            state.is_running = false;
            state.ended = state.begun;
            state.has_failed |= result.is_err();
            self.done.notify_all();
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn bytes_come_back_at_every_edge_of_a_segment() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::create(folder.path(), AtomicU64::new(1)).unwrap();
        let mut buffer = Vec::new();
        for size in [
            0,
            1,
            65_535,
            65_536,
            65_537,
            1 << 20,
            (1 << 20) + 1,
            9 << 20,
        ] {
            let plain: Vec<u8> = (0..size).map(|place| (place % 251) as u8).collect();
            let stored = blobs
                .write(&mut plain.as_slice(), size, &mut buffer)
                .unwrap();
            assert_eq!(
                stored.digest.as_ref(),
                digest::digest(&SHA256, &plain).as_ref()
            );
            let mut back = Vec::new();
            blobs
                .read(stored.number, size, &mut buffer, |bytes| {
                    back.extend_from_slice(bytes);
                    Ok(())
                })
                .unwrap();
            assert!(back == plain, "{size} bytes");
        }
    }

    #[test]
    fn many_waiters_share_few_syncs() {
        let shared = SharedSync::default();
        let syncs = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..32 {
                scope.spawn(|| {
                    shared
                        .wait(|| {
                            syncs.fetch_add(1, Ordering::Relaxed);
                            crate::process::pause(std::time::Duration::from_millis(20));
                            Ok(())
                        })
                        .unwrap();
                });
            }
        });
        let syncs = syncs.load(Ordering::Relaxed);
        assert!((1..32).contains(&syncs), "{syncs} syncs");
    }
}
