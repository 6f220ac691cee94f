//! Tells other nodes of commits, and hears of theirs: a connection of its own with LISTEN and NOTIFY.
//!
//! The notice is sent apart from the commits and at most once in a short time: a NOTIFY inside of a transaction takes a
//! lock of the whole server while it commits, which would undo the server's group commit. A notice may be lost; whoever
//! waits for one also looks by time.

use std::future::poll_fn;
use std::sync::Arc;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, NoTls, Socket};

use super::super::limit::{LISTEN_RETRY_PAUSE, NOTIFY_PAUSE};
use super::tls::Connector;

const LISTEN: &str = "LISTEN bailee_commit";
const NOTIFY: &str = "NOTIFY bailee_commit";

/// The task that listens and tells; it ends when this is dropped.
pub(super) struct Notifier {
    commits: Arc<watch::Sender<u64>>,
    wake: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Notifier {
    pub(super) fn start(config: Config, tls: Option<Connector>) -> Self {
        let commits = Arc::new(watch::Sender::new(0));
        let wake = Arc::new(Notify::new());
        let work = work(config, tls, Arc::clone(&commits), Arc::clone(&wake));
        Self {
            commits,
            wake,
            task: tokio::spawn(work),
        }
    }

    /// A script of this node was committed.
    pub(super) fn committed(&self) {
        self.commits.send_modify(|count| *count += 1);
        self.wake.notify_one();
    }

    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn work(
    config: Config,
    tls: Option<Connector>,
    commits: Arc<watch::Sender<u64>>,
    wake: Arc<Notify>,
) {
    loop {
        let ended = match &tls {
            Some(tls) => attend(&config, tls.clone(), &commits, &wake).await,
            None => attend(&config, NoTls, &commits, &wake).await,
        };
        if let Err(error) = ended {
            tracing::info!(error = %error, "the connection that listens to the database was lost; it is made again");
        }
        tokio::time::sleep(LISTEN_RETRY_PAUSE).await;
    }
}

async fn attend<T>(
    config: &Config,
    tls: T,
    commits: &watch::Sender<u64>,
    wake: &Notify,
) -> Result<(), Error>
where
    T: MakeTlsConnect<Socket>,
{
    let (client, connection) = config.connect(tls).await?;
    tokio::select! {
        ended = hear(connection, commits) => ended,
        ended = tell(&client, commits, wake) => ended,
    }
}

/// Drives the connection. Notices of this node come back to it as well and wake once more, which does no harm.
async fn hear<S, T>(
    mut connection: Connection<S, T>,
    commits: &watch::Sender<u64>,
) -> Result<(), Error>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(_) = message? {
            commits.send_modify(|count| *count += 1);
        }
    }
    Ok(())
}

async fn tell(client: &Client, commits: &watch::Sender<u64>, wake: &Notify) -> Result<(), Error> {
    client.batch_execute(LISTEN).await?;
    // Something may have been committed elsewhere while nobody listened.
    commits.send_modify(|count| *count += 1);
    loop {
        wake.notified().await;
        client.batch_execute(NOTIFY).await?;
        tokio::time::sleep(NOTIFY_PAUSE).await;
    }
}
