//! An installation in a temporary folder: core, engine, a tenant, remotes, and a line that can be cut or slowed down.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bailee_connect::{EgressGuard, Poster};
use bailee_core::model::{
    Chance, Clock, End, FilePath, RemoteAddress, RetryRule, Timestamp, Transfer, TransferId,
};
use bailee_core::{
    Caller, Core, CoreParts, CoreSettings, Door, Facts, FileRef, NewFile, NewRemote, NewTransfer,
    Placed, Precondition, RemoteSecret, parse_end,
};
use bailee_engine::{Engine, EngineHandle, EngineLimits, EngineParts};
use bailee_store::{Db, MIGRATIONS, SqliteOptions, Store};
use bailee_vault::{Disk, RootKey, Vault, VaultLimits};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The machine's clock, which a test may put forward.
#[derive(Default)]
struct WallClock {
    ahead_ms: Arc<AtomicI64>,
}

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "leases of a test are real")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let ahead_ms = self.ahead_ms.load(Ordering::Relaxed);
        Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap() + ahead_ms)
    }
}

struct Draws;

impl Chance for Draws {
    #[expect(clippy::disallowed_methods, reason = "keys of a test are real")]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).unwrap();
    }
}

/// An installation with one tenant and its administrator.
pub struct Site {
    pub core: Core,
    pub caller: Caller,
    folder: TempDir,
    ahead_ms: Arc<AtomicI64>,
}

impl Site {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        std::fs::create_dir(folder.path().join("far")).unwrap();
        let db = Db::open_sqlite(
            &data.join("bailee.db"),
            SqliteOptions {
                create: true,
                ..SqliteOptions::default()
            },
        );
        let db = db.unwrap();
        let clock = WallClock::default();
        let ahead_ms = Arc::clone(&clock.ahead_ms);
        db.migrate(MIGRATIONS, clock.now()).await.unwrap();
        let parts = CoreParts {
            store: Store::new(db),
            vault: Vault::new(Disk::open(&data).unwrap(), VaultLimits::default()),
            root_key: RootKey::load_or_create(data.join("root.key"), &Draws).unwrap(),
            clock: Arc::new(clock),
            chance: Arc::new(Draws),
            settings: CoreSettings {
                local_folders: vec![folder.path().join("far").display().to_string()],
                plain_http_receivers: true,
                ..CoreSettings::default()
            },
        };
        let core = Core::open(parts).await.unwrap();
        let first = core.first_tenant("tests").await.unwrap().unwrap();
        let now = core.clock().now();
        let facts = Facts {
            address: None,
            request: core.new_request_id(),
            now,
            door: Door::Rest,
        };
        let credential = format!("Bearer {}", first.key.reveal());
        let caller = core.identify(Some(&credential), facts).await.unwrap();
        Self {
            core,
            caller,
            folder,
            ahead_ms,
        }
    }

    /// Starts an engine, as one node under `name` would.
    pub fn start(&self, name: &str) -> EngineHandle {
        let guard = EgressGuard::strict().allowing_loopback();
        let parts = EngineParts {
            poster: Poster::new(guard.clone(), "").unwrap(),
            guard,
            local_folders: vec![self.far().display().to_string()],
            node: name.to_owned(),
            limits: EngineLimits::default(),
        };
        Engine::start(self.core.clone(), parts)
    }

    /// Puts the clock forward.
    pub fn pass(&self, time: Duration) {
        let ms = i64::try_from(time.as_millis()).unwrap();
        self.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// The folder that the remote `disk` shows.
    pub fn far(&self) -> PathBuf {
        self.folder.path().join("far")
    }

    /// Makes the remote `disk`: a local folder.
    pub async fn disk(&self) {
        let address = RemoteAddress::Local {
            folder: self.far().display().to_string(),
        };
        self.remote("disk", address, None).await;
    }

    pub async fn remote(&self, name: &str, address: RemoteAddress, secret: Option<RemoteSecret>) {
        let new = NewRemote {
            name: name.parse().unwrap(),
            address,
            secret,
            concurrency: None,
            times: bailee_core::model::RemoteTimes::default(),
        };
        self.core.remotes().create(&self.caller, new).await.unwrap();
    }

    /// Puts a file.
    pub async fn put(&self, path: &str, content: &[u8]) -> Placed {
        let new = NewFile {
            path: path.parse().unwrap(),
            overwrite: true,
            content_type: None,
            hash: None,
            size_bytes: None,
            tags: Vec::new(),
            metadata: std::collections::BTreeMap::default(),
            classification: None,
            operation: "files.upload",
        };
        let chunks: Vec<_> = content
            .chunks(256 * 1024)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect();
        self.core
            .files()
            .put(
                &self.caller,
                new,
                Precondition::None,
                stream::iter(chunks).boxed(),
            )
            .await
            .unwrap()
    }

    /// The bytes at a path, if there is a file.
    pub async fn take(&self, path: &str) -> Option<Vec<u8>> {
        let path: FilePath = path.parse().unwrap();
        let open = self
            .core
            .files()
            .open(&self.caller, FileRef::Path(path))
            .await
            .ok()?;
        let chunks: Vec<Bytes> = open
            .stream(0..open.file.size_bytes)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        Some(chunks.concat())
    }

    pub async fn submit(&self, new: NewTransfer) -> TransferId {
        self.core
            .transfers()
            .submit(&self.caller, new)
            .await
            .unwrap()
            .id
    }

    /// The transfer once it ended.
    pub async fn ended(&self, id: TransferId) -> Transfer {
        self.until(id, |transfer| transfer.state.is_final()).await
    }

    /// The transfer once it is as wanted.
    pub async fn until(&self, id: TransferId, is_wanted: impl Fn(&Transfer) -> bool) -> Transfer {
        let mut revision = 0;
        for _ in 0..1_000 {
            let wait = Duration::from_millis(200);
            let found = self
                .core
                .transfers()
                .wait(&self.caller, id, revision, wait)
                .await
                .unwrap();
            if is_wanted(&found) {
                return found;
            }
            revision = found.revision;
        }
        unreachable!("the transfer did not get there")
    }

    /// Submits and waits for the end.
    pub async fn moved(&self, new: NewTransfer) -> Transfer {
        let id = self.submit(new).await;
        self.ended(id).await
    }
}

/// A transfer with quick retries.
pub fn transfer(from: &str, to: &str) -> NewTransfer {
    NewTransfer {
        retry: RetryRule {
            max_attempts: 3,
            initial_delay_seconds: 0,
            max_delay_seconds: 0,
        },
        ..NewTransfer::new(end(from), end(to))
    }
}

fn end(text: &str) -> End {
    parse_end(text).unwrap()
}

/// Content in which every place is different.
pub fn content(bytes: usize) -> Vec<u8> {
    let words = (0_u64..).flat_map(|word| word.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    words.take(bytes).collect()
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A line to a server. It is cut after so many bytes, once, or carries at most so many in a second.
pub struct Line {
    pub port: u16,
    /// Bytes that went to the server.
    pub sent: Arc<AtomicU64>,
}

impl Line {
    pub async fn to(port: u16, cut_after: Option<u64>, bytes_per_second: Option<u64>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::by(listener, port, (cut_after, bytes_per_second))
    }

    /// A line that begins at `listener`.
    pub fn by(
        listener: TcpListener,
        port: u16,
        (cut_after, bytes_per_second): (Option<u64>, Option<u64>),
    ) -> Self {
        let own = listener.local_addr().unwrap().port();
        let sent = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&sent);
        let mut cut_after = cut_after;
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let line = Pipe {
                    count: Arc::clone(&count),
                    cut_after: cut_after.take(),
                    bytes_per_second,
                };
                tokio::spawn(async move {
                    let back = Pipe {
                        count: Arc::default(),
                        cut_after: line.cut_after,
                        bytes_per_second,
                    };
                    // Whichever end goes first takes the other along.
                    tokio::select! {
                        () = line.carry(from_client, to_server) => {}
                        () = back.carry(from_server, to_client) => {}
                    }
                });
            }
        });
        Self { port: own, sent }
    }
}

struct Pipe {
    count: Arc<AtomicU64>,
    cut_after: Option<u64>,
    bytes_per_second: Option<u64>,
}

impl Pipe {
    async fn carry(
        &self,
        mut from: tokio::net::tcp::OwnedReadHalf,
        mut to: tokio::net::tcp::OwnedWriteHalf,
    ) {
        let (mut buffer, mut carried) = (vec![0; 64 * 1024], 0);
        while let Ok(read) = from.read(&mut buffer).await {
            if read == 0 || to.write_all(buffer.get(..read).unwrap()).await.is_err() {
                return;
            }
            carried += read as u64;
            self.count.fetch_add(read as u64, Ordering::Relaxed);
            if self.cut_after.is_some_and(|most| carried >= most) {
                return;
            }
            if let Some(rate) = self.bytes_per_second {
                tokio::time::sleep(Duration::from_secs_f64(read as f64 / rate as f64)).await;
            }
        }
    }
}
