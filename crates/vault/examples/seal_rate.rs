//! Rates of the vault beside the rates of what it is made of, in one run, since a disk is never twice the same:
//! `cargo run --release -p bailee-vault --example seal_rate [folder]`.
//!
//! `floor` does all of the upload's work on one thread: SHA-256, AES-256-GCM, buffered write, one sync.

use std::convert::Infallible;
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use bailee_model::{BlobId, Chance, TenantId};
use bailee_vault::{
    DataKey, Digest, Disk, End, Header, OpenBlob, Placement, SEGMENT_BYTES, SealBlob,
    SegmentSealer, TAG_BYTES, Vault, VaultLimits, limit,
};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

const MIB: usize = 1024 * 1024;
const SIZE_BYTES: usize = 1024 * MIB;
/// What a TLS record brings.
const CHUNK_BYTES: usize = 16 * 1024;
const ROUNDS: usize = 5;
const STREAMS: usize = 64;

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Random(SystemRandom);

impl Chance for Random {
    fn fill(&self, bytes: &mut [u8]) {
        // Only rates depend on it here.
        self.0.fill(bytes).ok();
    }
}

struct Bench {
    folder: PathBuf,
    vault: Vault,
    chance: Random,
    data_key: DataKey,
    tenant: TenantId,
    block: Vec<u8>,
}

fn main() -> Outcome<()> {
    let folder = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("bailee-seal-rate-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let outcome = run(&folder);
    std::fs::remove_dir_all(&folder)?;
    outcome
}

fn run(folder: &Path) -> Outcome<()> {
    let chance = Random(SystemRandom::new());
    let mut block = vec![0; limit::BATCH_BYTES];
    chance.fill(&mut block);
    let bench = Bench {
        folder: folder.to_path_buf(),
        vault: Vault::new(Disk::open(folder)?, VaultLimits::default()),
        data_key: DataKey::generate(&chance),
        tenant: TenantId::from_bits(1),
        chance,
        block,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    report("sha-256 only", || {
        bench.hash();
        Ok(())
    })?;
    report("aes-256-gcm only", || bench.encrypt())?;
    report("write + sync only", || bench.write())?;
    report("floor: all on one thread", || bench.floor())?;
    report("seal, no digest", || {
        runtime.block_on(bench.seal(Digest::None))
    })?;
    report("seal, sha-256", || {
        runtime.block_on(bench.seal(Digest::Sha256))
    })?;
    let blob = BlobId::from_bits(0);
    runtime.block_on(bench.seal_one(blob, SIZE_BYTES, Digest::None))?;
    report("open, from page cache", || {
        runtime.block_on(bench.open(blob))
    })?;
    runtime.block_on(bench.vault.remove(bench.tenant, blob))?;
    let before = peak_memory();
    report("seal, sha-256, 64 × 16 MiB", || {
        runtime.block_on(bench.seal_many())
    })?;
    println!(
        "peak memory before and after the 64 streams: {} / {}",
        before,
        peak_memory()
    );
    Ok(())
}

/// Prints the median of the rounds.
fn report(name: &str, mut round: impl FnMut() -> Outcome<()>) -> Outcome<()> {
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        round()?;
        rates.push((SIZE_BYTES / MIB) as f64 / begun.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    let rates: Vec<_> = rates.into_iter().map(|rate| format!("{rate:.0}")).collect();
    let median = rates.get(ROUNDS / 2).map_or("", String::as_str);
    println!("{name:<30} {median:>6} MiB/s   ({})", rates.join(" "));
    Ok(())
}

fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or("unknown").trim().to_owned()
}

fn source(
    size_bytes: usize,
    block: &[u8],
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
    let block = Bytes::copy_from_slice(block);
    stream::iter((0..size_bytes / CHUNK_BYTES).map(move |at| {
        let from = at * CHUNK_BYTES % block.len();
        Ok(block.slice(from..from + CHUNK_BYTES))
    }))
}

impl Bench {
    fn blocks(&self) -> impl Iterator<Item = &[u8]> {
        (0..SIZE_BYTES / self.block.len()).map(|_| self.block.as_slice())
    }

    fn sealer(&self) -> Outcome<(SegmentSealer, Vec<u8>)> {
        let mut salt = [0; 32];
        self.chance.fill(&mut salt);
        let sealer = SegmentSealer::new(
            &self.data_key,
            Header::new(salt),
            self.tenant,
            BlobId::from_bits(9),
        )?;
        let segments = self.block.len() / SEGMENT_BYTES;
        Ok((sealer, vec![0; self.block.len() + segments * TAG_BYTES]))
    }

    fn hash(&self) {
        let mut context = Context::new(&SHA256);
        for block in self.blocks() {
            context.update(block);
        }
        std::hint::black_box(context.finish());
    }

    fn encrypt(&self) -> Outcome<()> {
        let (mut sealer, mut sealed) = self.sealer()?;
        for block in self.blocks() {
            sealer.seal(block, End::More, &mut sealed)?;
        }
        Ok(())
    }

    fn write(&self) -> Outcome<()> {
        let path = self.folder.join("raw");
        let mut file = File::create(&path)?;
        for block in self.blocks() {
            file.write_all(block)?;
        }
        file.sync_data()?;
        Ok(std::fs::remove_file(path)?)
    }

    fn floor(&self) -> Outcome<()> {
        let path = self.folder.join("floor");
        let mut file = File::create(&path)?;
        let (mut sealer, mut sealed) = self.sealer()?;
        let mut context = Context::new(&SHA256);
        for block in self.blocks() {
            context.update(block);
            sealer.seal(block, End::More, &mut sealed)?;
            file.write_all(&sealed)?;
        }
        std::hint::black_box(context.finish());
        file.sync_data()?;
        Ok(std::fs::remove_file(path)?)
    }

    async fn seal(&self, digest: Digest) -> Outcome<()> {
        let blob = BlobId::from_bits(1);
        self.seal_one(blob, SIZE_BYTES, digest).await?;
        self.vault.remove(self.tenant, blob).await?;
        Ok(())
    }

    async fn seal_one(&self, blob: BlobId, size_bytes: usize, digest: Digest) -> Outcome<()> {
        let command = SealBlob {
            tenant: self.tenant,
            blob,
            data_key: &self.data_key,
            inline_bytes_max: 65_536,
            digest,
        };
        let stream = source(size_bytes, &self.block);
        self.vault.seal(command, stream, &self.chance).await?;
        Ok(())
    }

    async fn seal_many(&self) -> Outcome<()> {
        let ids: Vec<_> = (2..).take(STREAMS).map(BlobId::from_bits).collect();
        let sealing = ids
            .iter()
            .map(|blob| self.seal_one(*blob, SIZE_BYTES / STREAMS, Digest::Sha256));
        futures::future::try_join_all(sealing).await?;
        for blob in ids {
            self.vault.remove(self.tenant, blob).await?;
        }
        Ok(())
    }

    async fn open(&self, blob: BlobId) -> Outcome<()> {
        let command = OpenBlob {
            tenant: self.tenant,
            blob,
            data_key: &self.data_key,
            size_bytes: SIZE_BYTES as u64,
            placement: Placement::Stored,
        };
        let mut opened = self.vault.open(command, 0..SIZE_BYTES as u64);
        let mut opened_bytes = 0;
        while let Some(bytes) = opened.next().await {
            opened_bytes += std::hint::black_box(bytes?).len();
        }
        if opened_bytes == SIZE_BYTES {
            Ok(())
        } else {
            Err("short".into())
        }
    }
}
