//! An installation in this process, with a tenant and its administrator.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bailee_auth::KeyText;
use bailee_core::{
    ByteStream, Caller, Core, CoreParts, CoreSettings, Door, Facts, FileRef, NewFile, NewPart,
    NewUpload, Placed, Precondition, TenantChange,
};
use bailee_model::{
    Chance, Clock, FilePath, Part, RequestId, Result, TenantId, Timestamp, UploadId, Usage,
};
use bailee_store::{Db, MIGRATIONS, SqliteOptions, Store};
use bailee_vault::{Disk, PrefixHasher, RootKey, Vault, VaultLimits};
use bytes::Bytes;
use futures::{StreamExt, stream};
use rusqlite::Connection;
use tokio::sync::watch;

/// Bytes of one piece of a stream.
pub(crate) const PIECE: usize = 64 * 1024;

struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

struct Counting(AtomicU64);

impl Chance for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let next = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = (next >> 56) as u8;
        }
    }
}

pub(crate) struct Site {
    folder: tempfile::TempDir,
    store: Store,
    clock: Arc<Ticking>,
    pub(crate) core: Core,
    tenant: TenantId,
    pub(crate) caller: Caller,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::with_settings(CoreSettings::default()).await
    }

    pub(crate) async fn with_file_bytes_max(file_bytes_max: u64) -> Self {
        Self::with_settings(CoreSettings {
            file_bytes_max,
            ..CoreSettings::default()
        })
        .await
    }

    async fn with_settings(settings: CoreSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions {
            create: true,
            ..SqliteOptions::default()
        };
        let db = Db::open_sqlite(&folder.path().join("bailee.db"), options).unwrap();
        let clock = Arc::new(Ticking(AtomicI64::new(1_795_252_440_000)));
        db.migrate(MIGRATIONS, clock.now()).await.unwrap();
        let store = Store::new(db);
        let core = Core::open(CoreParts {
            store: store.clone(),
            vault: Vault::new(Disk::open(folder.path()).unwrap(), VaultLimits::default()),
            root_key: RootKey::from_bytes([7; 32]),
            clock: clock.clone(),
            chance: Arc::new(Counting(AtomicU64::new(1))),
            settings,
        })
        .await
        .unwrap();
        let first = core.first_tenant("demo").await.unwrap().unwrap();
        let caller = identify(&core, &*clock, &first.key).await;
        Self {
            folder,
            store,
            clock,
            core,
            tenant: first.tenant.id,
            caller,
        }
    }

    pub(crate) async fn caller_of(&self, key: &KeyText) -> Caller {
        identify(&self.core, &*self.clock, key).await
    }

    /// Bytes that the tenant may store.
    pub(crate) async fn set_quota(&self, bytes: Option<u64>) {
        let key = self.core.first_operator().await.unwrap().unwrap();
        let operator = self.caller_of(&key).await;
        let change = TenantChange {
            quota_bytes: Some(bytes),
            ..TenantChange::default()
        };
        let tenants = self.core.tenants();
        tenants
            .update(&operator, self.tenant, change)
            .await
            .unwrap();
    }

    pub(crate) async fn put(&self, path: &str, stream: ByteStream) -> Result<Placed> {
        let files = self.core.files();
        files
            .put(&self.caller, new_file(path), Precondition::None, stream)
            .await
    }

    pub(crate) async fn upload(&self, path: &str) -> UploadId {
        let new = NewUpload {
            path: path.parse().unwrap(),
            size_bytes: None,
            part_size: None,
            overwrite: false,
            content_type: None,
            hash: None,
            tags: Vec::new(),
            metadata: BTreeMap::new(),
        };
        let opened = self.core.uploads().create(&self.caller, new).await;
        opened.unwrap().upload.id
    }

    pub(crate) async fn part(&self, upload: UploadId, number: u32, content: &[u8]) -> Result<Part> {
        self.part_of(upload, number, pieces(content.to_vec())).await
    }

    pub(crate) async fn part_of(
        &self,
        upload: UploadId,
        number: u32,
        stream: ByteStream,
    ) -> Result<Part> {
        let new = NewPart {
            upload,
            number,
            digest: None,
            size_bytes: None,
        };
        self.core
            .uploads()
            .put_part(&self.caller, new, stream)
            .await
    }

    pub(crate) async fn complete(&self, upload: UploadId) -> Result<Placed> {
        let uploads = self.core.uploads();
        uploads.complete(&self.caller, upload, None).await
    }

    pub(crate) async fn content(&self, file: FileRef) -> Vec<u8> {
        let opened = self.core.files().open(&self.caller, file).await.unwrap();
        let size_bytes = opened.file.size_bytes;
        let mut stream = opened.stream(0..size_bytes).await.unwrap();
        let mut content = Vec::new();
        while let Some(piece) = stream.next().await {
            content.extend_from_slice(&piece.unwrap());
        }
        content
    }

    /// What is counted is what there is.
    pub(crate) async fn check_usage(&self) -> Usage {
        let queue = self.store.queue();
        let reader = queue.reader(self.tenant);
        let usage = reader.usage().await.unwrap();
        assert_eq!(usage, reader.recount().await.unwrap());
        usage
    }

    /// Waits until so many blobs have files.
    pub(crate) async fn await_blobs(&self, count: usize) {
        let disk = Disk::open(self.folder.path()).unwrap();
        await_that(|| disk.list().count() == count).await;
    }

    pub(crate) async fn await_no_reservation(&self) {
        let db = Connection::open(self.folder.path().join("bailee.db")).unwrap();
        let count = || {
            db.query_one("SELECT COUNT(*) FROM reservation", [], |row| {
                row.get::<_, i64>(0)
            })
        };
        await_that(|| count().unwrap() == 0).await;
    }
}

async fn identify(core: &Core, clock: &dyn Clock, key: &KeyText) -> Caller {
    let facts = Facts {
        address: None,
        request: RequestId::from_bits(1),
        now: clock.now(),
        door: Door::Rest,
    };
    let credential = format!("Bearer {}", key.reveal());
    core.identify(Some(&credential), facts).await.unwrap()
}

/// For what is done off the request, soon.
async fn await_that(is_so: impl Fn() -> bool) {
    for _ in 0..1000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(is_so(), "not within ten seconds");
}

pub(crate) fn new_file(path: &str) -> NewFile {
    NewFile {
        path: path.parse().unwrap(),
        overwrite: false,
        content_type: None,
        hash: None,
        size_bytes: None,
        tags: Vec::new(),
        metadata: BTreeMap::new(),
        classification: None,
        operation: "files.upload",
    }
}

pub(crate) fn at(path: &str) -> FileRef {
    FileRef::Path(path.parse::<FilePath>().unwrap())
}

pub(crate) fn pieces(content: Vec<u8>) -> ByteStream {
    let pieces: Vec<_> = content
        .chunks(PIECE)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    stream::iter(pieces).boxed()
}

/// How much was taken from a stream.
#[derive(Clone)]
pub(crate) struct Read(Arc<AtomicU64>);

impl Read {
    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream that does not end by itself.
pub(crate) fn endless() -> (ByteStream, Read) {
    let read = Read(Arc::default());
    let counted = read.clone();
    let stream = endless_pieces().inspect(move |piece| {
        counted.0.fetch_add(bytes_in(piece), Ordering::Relaxed);
    });
    (stream.boxed(), read)
}

fn endless_pieces() -> impl futures::Stream<Item = Result<Bytes>> {
    stream::repeat(Bytes::from(vec![0; PIECE])).then(|piece| async move {
        // Others get their turn, as they do when bytes come from a network.
        tokio::task::yield_now().await;
        Ok(piece)
    })
}

fn bytes_in(piece: &Result<Bytes>) -> u64 {
    piece.as_ref().map_or(0, |bytes| bytes.len() as u64)
}

/// Endless streams that wait for one another at a mark: none goes on before each has come there or was given up.
pub(crate) struct Together {
    streams: usize,
    mark_bytes: u64,
    /// Streams that came to the mark or were given up before it.
    arrived: watch::Sender<usize>,
    /// Bytes of streams that are not given up, now and at most.
    held: AtomicU64,
    held_max: AtomicU64,
}

impl Together {
    pub(crate) fn new(streams: usize, mark_bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            streams,
            mark_bytes,
            arrived: watch::Sender::new(0),
            held: AtomicU64::new(0),
            held_max: AtomicU64::new(0),
        })
    }

    /// The most that was taken from streams and not given up yet.
    pub(crate) fn held_bytes_max(&self) -> u64 {
        self.held_max.load(Ordering::Relaxed)
    }

    pub(crate) fn stream(self: &Arc<Self>) -> ByteStream {
        let one = One {
            all: self.clone(),
            bytes: 0,
            has_arrived: false,
        };
        let streams = self.streams;
        stream::unfold(one, move |mut one| async move {
            if one.bytes >= one.all.mark_bytes {
                one.arrive();
                let mut arrived = one.all.arrived.subscribe();
                arrived.wait_for(|count| *count == streams).await.unwrap();
            }
            tokio::task::yield_now().await;
            one.take(PIECE as u64);
            Some((Ok(Bytes::from(vec![0; PIECE])), one))
        })
        .boxed()
    }
}

/// One of several streams; dropped when it is given up.
struct One {
    all: Arc<Together>,
    bytes: u64,
    has_arrived: bool,
}

impl One {
    fn arrive(&mut self) {
        if !self.has_arrived {
            self.has_arrived = true;
            self.all.arrived.send_modify(|count| *count += 1);
        }
    }

    fn take(&mut self, bytes: u64) {
        self.bytes += bytes;
        let held = self.all.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.all.held_max.fetch_max(held, Ordering::Relaxed);
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.all.held.fetch_sub(self.bytes, Ordering::Relaxed);
        self.arrive();
    }
}

pub(crate) fn sha256(content: &[u8]) -> String {
    let mut hasher = PrefixHasher::new();
    hasher.update(content);
    hex::encode(hasher.finish())
}

/// The first byte, and how many there are.
pub(crate) fn bytes_of(content: &[u8]) -> (u8, usize) {
    (content.first().copied().unwrap_or_default(), content.len())
}
