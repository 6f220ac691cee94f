//! Control connections to one server: each does one thing at a time, so calls that run together have one each.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore};

use super::control::{Control, Setup};
use super::data::Data;
use super::error;
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;

/// The connections that are open, and those that may be opened.
pub(super) struct Pool {
    setup: Arc<Setup>,
    seats: Arc<Semaphore>,
    /// `None` once the pool is closed.
    idle: Mutex<Option<Vec<Control>>>,
    /// Held shared by writes that were broken off and that the server has not let go of yet.
    endings: Arc<RwLock<()>>,
}

impl Pool {
    /// A pool whose first connection is signed in.
    pub(super) async fn open(setup: Setup) -> Result<Arc<Self>> {
        let setup = Arc::new(setup);
        let first = Control::open(Arc::clone(&setup)).await?;
        Ok(Arc::new(Self {
            setup,
            seats: Arc::new(Semaphore::new(limit::FTPS_CONNECTIONS_MAX)),
            idle: Mutex::new(Some(vec![first])),
            endings: Arc::default(),
        }))
    }

    /// A connection that nobody else uses until it is dropped.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Lease> {
        let wait = Arc::clone(&self.seats).acquire_owned();
        let seat = match tokio::time::timeout(self.setup.config.times.idle, wait).await {
            Ok(Ok(seat)) => seat,
            Ok(Err(_)) => return Err(error::ended()),
            Err(_) => {
                let message = "all connections to the FTP server are in use";
                return Err(Fault::new(FaultKind::Busy, message));
            }
        };
        while let Some(mut control) = self.idle_one()? {
            if control.is_fresh().await {
                return Ok(self.lend(control, seat));
            }
        }
        let control = Control::open(Arc::clone(&self.setup)).await?;
        Ok(self.lend(control, seat))
    }

    fn idle_one(&self) -> Result<Option<Control>> {
        Ok(self.lock().as_mut().ok_or_else(error::ended)?.pop())
    }

    fn lend(self: &Arc<Self>, control: Control, seat: OwnedSemaphorePermit) -> Lease {
        Lease {
            control: Some(control),
            pool: Arc::clone(self),
            _seat: seat,
        }
    }

    /// Waits until the server is done with writes that were broken off here: it may still be storing what it got.
    pub(super) async fn settle(&self) {
        let within = limit::CLOSE_TIME_MAX * 2;
        let _ = tokio::time::timeout(within, self.endings.write()).await;
    }

    /// Hangs up; whoever still has a connection keeps it to the end.
    pub(super) async fn close(&self) {
        let idle = self.lock().take().unwrap_or_default();
        self.seats.close();
        futures::future::join_all(idle.into_iter().map(Control::quit)).await;
    }

    pub(super) fn setup(&self) -> &Setup {
        &self.setup
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Control>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in use. Dropped in the middle of something, it hangs up.
pub(super) struct Lease {
    control: Option<Control>,
    pool: Arc<Pool>,
    _seat: OwnedSemaphorePermit,
}

impl Lease {
    /// Gives up a write to `data` in the background, so that the next one can wait for its end.
    pub(super) fn break_off(mut self, data: Data) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let ending = Arc::clone(&self.pool.endings).try_read_owned();
        runtime.spawn(async move {
            self.broken_off(data).await;
            drop(ending);
        });
    }
}

impl Deref for Lease {
    type Target = Control;

    #[expect(clippy::expect_used, reason = "only `drop` takes the connection out")]
    fn deref(&self) -> &Control {
        self.control.as_ref().expect("in use until dropped")
    }
}

impl DerefMut for Lease {
    #[expect(clippy::expect_used, reason = "only `drop` takes the connection out")]
    fn deref_mut(&mut self) -> &mut Control {
        self.control.as_mut().expect("in use until dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let control = self.control.take();
        let fit = control.filter(|control| control.is_ready() && !control.is_spent());
        if let (Some(control), Some(idle)) = (fit, self.pool.lock().as_mut()) {
            idle.push(control);
        }
    }
}
