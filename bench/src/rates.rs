//! What this machine can do without any server: one thread, one core, this disk.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;

const MIB: usize = 1024 * 1024;
/// Small enough for a core's own cache, as the buffers of a server are.
const BUFFER_BYTES: usize = 64 * 1024;
/// What one sync makes durable, as a row of a database does.
const SYNC_BYTES: usize = 4096;

/// The raw rates that every other figure is to be read beside, all of them each second.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Rates {
    /// Appends of 4 KiB with fdatasync, one after the other.
    pub syncs: f64,
    /// SHA-256 on one core, MiB.
    pub sha256_mib: f64,
    /// AES-256-GCM over 64 KiB segments on one core, MiB.
    pub aes_gcm_mib: f64,
    /// Copying 64 MiB on one core, MiB.
    pub copy_mib: f64,
}

impl Rates {
    /// Measures each for `time`, syncing in `folder`.
    pub fn measure(folder: &Path, time: Duration) -> Result<Self> {
        Ok(Self {
            syncs: syncs(folder, time)?,
            sha256_mib: sha256(time),
            aes_gcm_mib: aes_gcm(time)?,
            copy_mib: copy(time),
        })
    }
}

fn syncs(folder: &Path, time: Duration) -> Result<f64> {
    let path = folder.join("sync-rate");
    let mut file = File::create(&path)?;
    let bytes = [0x5a_u8; SYNC_BYTES];
    let per_second = repeat(time, || {
        file.write_all(&bytes)?;
        file.sync_data()
    })?;
    std::fs::remove_file(path)?;
    Ok(per_second)
}

fn sha256(time: Duration) -> f64 {
    let bytes = vec![7_u8; BUFFER_BYTES];
    let mut context = Context::new(&SHA256);
    let rate = repeat_sure(time, || context.update(black_box(&bytes)));
    black_box(context.finish());
    rate * BUFFER_BYTES as f64 / MIB as f64
}

fn aes_gcm(time: Duration) -> Result<f64> {
    let mut bytes = vec![7_u8; BUFFER_BYTES];
    let data_key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[1; 32])?);
    let mut number = 0_u64;
    let rate = repeat(time, || {
        number += 1;
        let mut nonce = [0_u8; 12];
        nonce[..8].copy_from_slice(&number.to_le_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        data_key
            .seal_in_place_separate_tag(nonce, Aad::empty(), &mut bytes)
            .map(|tag| drop(black_box(tag)))
            .map_err(std::io::Error::other)
    })?;
    Ok(rate * BUFFER_BYTES as f64 / MIB as f64)
}

fn copy(time: Duration) -> f64 {
    const COPY_MIB: usize = 64;
    let from = vec![7_u8; COPY_MIB * MIB];
    let mut to = vec![1_u8; COPY_MIB * MIB];
    repeat_sure(time, || {
        to.copy_from_slice(black_box(&from));
        black_box(&to);
    }) * COPY_MIB as f64
}

/// Repetitions each second.
fn repeat(time: Duration, mut step: impl FnMut() -> std::io::Result<()>) -> Result<f64> {
    let start = Instant::now();
    let mut done = 0_u64;
    while start.elapsed() < time {
        step()?;
        done += 1;
    }
    Ok(done as f64 / start.elapsed().as_secs_f64())
}

fn repeat_sure(time: Duration, mut step: impl FnMut()) -> f64 {
    let mut done = 0_u64;
    let start = Instant::now();
    while start.elapsed() < time {
        step();
        done += 1;
    }
    done as f64 / start.elapsed().as_secs_f64()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_rate_is_above_zero() {
        let folder = tempfile::tempdir().unwrap();
        let rates = Rates::measure(folder.path(), Duration::from_millis(5)).unwrap();
        assert!(rates.syncs > 0.0 && rates.copy_mib > 0.0);
        assert!(rates.sha256_mib > 0.0 && rates.aes_gcm_mib > 0.0);
    }
}
