//! FTP over TLS, explicit or implicit: what many partners have had for long.
//!
//! There is no way without TLS: control and data connections are protected from sign-in on, with the same certificate
//! check, and data connections resume the session of their control connection, as many servers demand. Data connections
//! are passive; the address that a server names for them is not read, they go where the control connection goes, and are
//! judged like every other connection. A server that hangs, floods or lies costs a time-out or a fault, never memory.
//!
//! A control connection does one thing at a time, so calls that run together have one each, up to a limit, and those
//! that are free are kept for a while. FTP confirms an upload at its end only. So a checkpoint ends the upload, compares
//! the size, and begins another one behind it (`REST`, `STOR`); where the round trips for that take long, checkpoints are
//! left out for a while. Bytes that an earlier upload left behind the end are cut off when the file is finished.
//!
//! The client is our own. Its library of choice, suppaftp, keeps whole listings in memory, gives TLS faults as text only,
//! and waits for servers without time limits; what is needed of the protocol is small.
//!
//! Absent: connections without TLS, active mode, `CCC`, accounts (`ACCT`), listings in other styles than that of `ls -l`.

mod config;
mod control;
mod cut;
mod data;
mod error;
mod facts;
mod listing;
mod passive;
mod pool;
mod reader;
mod rename;
mod reply;
mod session;
mod sign_in;
mod stat;
mod writer;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bailee_model::{RemoteKind, Timestamp};

pub use self::config::{FtpsConfig, FtpsMode, FtpsTimes};
use self::control::{Offers, Setup};
use self::pool::Pool;
use crate::connector::{
    ByteStream, Capabilities, Connector, Listing, ReadFrom, RemoteEntry, RemoteWriter, Replace,
    WriteOptions,
};
use crate::egress::EgressGuard;
use crate::fault::{FaultKind, Result};
use crate::path::RemotePath;

/// One account on an FTPS server as far system.
pub(crate) struct Ftps {
    pool: Arc<Pool>,
    offers: Offers,
}

impl Ftps {
    pub(crate) async fn open(config: &FtpsConfig, guard: &EgressGuard) -> Result<Self> {
        let pool = Pool::open(Setup::new(config, guard)?).await?;
        let offers = pool.take().await?.offers();
        Ok(Self { pool, offers })
    }
}

impl fmt::Debug for Ftps {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.pool.setup().config.host;
        out.debug_struct("Ftps")
            .field("host", host)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Connector for Ftps {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            can_read_at: self.offers.has_rest,
            can_write_at: self.offers.has_rest && self.offers.has_size,
            can_set_time: self.offers.has_mfmt,
            ..Capabilities::most(RemoteKind::Ftps)
        }
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteEntry>> {
        let mut lease = self.pool.take().await?;
        stat::stat(&mut lease, path).await
    }

    async fn list(&self, path: &RemotePath, limit: usize) -> Result<Listing> {
        let mut lease = self.pool.take().await?;
        let far = lease.far(path);
        match listing::list(&mut lease, &far, limit).await {
            Ok(listing) => Ok(listing),
            Err(fault) => Err(stat::clarified(&mut lease, fault, path).await),
        }
    }

    async fn list_after(&self, path: &RemotePath, after: &str, limit: usize) -> Result<Listing> {
        let mut lease = self.pool.take().await?;
        let far = lease.far(path);
        match listing::list_after(&mut lease, &far, (after, limit)).await {
            Ok(listing) => Ok(listing),
            Err(fault) => Err(stat::clarified(&mut lease, fault, path).await),
        }
    }

    async fn read(&self, path: &RemotePath, from: ReadFrom) -> Result<ByteStream> {
        reader::stream(&self.pool, path, from.offset).await
    }

    async fn write(
        &self,
        path: &RemotePath,
        options: WriteOptions,
    ) -> Result<Box<dyn RemoteWriter>> {
        let writer = writer::Writer::open(&self.pool, path, options.offset).await?;
        Ok(Box::new(writer))
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        let mut lease = self.pool.take().await?;
        match replace {
            Replace::Yes => rename::replace(&mut lease, from, to).await,
            Replace::No => rename::to_free(&mut lease, from, to).await,
        }
    }

    async fn remove(&self, path: &RemotePath) -> Result<()> {
        let mut lease = self.pool.take().await?;
        rename::remove(&mut lease, path).await
    }

    async fn mkdir(&self, path: &RemotePath) -> Result<()> {
        let mut lease = self.pool.take().await?;
        let command = format!("MKD {}", lease.far(path));
        let Err(fault) = lease.command(&command).await?.done("to make the folder") else {
            return Ok(());
        };
        let may_be_taken = matches!(fault.kind(), FaultKind::Io | FaultKind::Exists);
        if may_be_taken && lease.is_ready() && stat::stat(&mut lease, path).await?.is_some() {
            return Err(error::exists(path));
        }
        Err(stat::clarified_new(&mut lease, fault, path).await)
    }

    async fn set_modified(&self, path: &RemotePath, modified: Timestamp) -> Result<()> {
        let mut lease = self.pool.take().await?;
        stat::set_modified(&mut lease, path, modified).await
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}
