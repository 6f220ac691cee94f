//! What a transfer would do: a look at both ends that moves nothing and leaves nothing behind.

use bailee_auth::Caller;
use bailee_model::{Bundle, End, Error, ErrorKind, Result, Transfer};

use super::submit::check;
use super::{NewTransfer, Transfers};

/// What would become of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlannedFate {
    /// It would be sent.
    Send,
    /// It would be left alone.
    Skip,
    /// It would fail.
    Fail,
}

impl PlannedFate {
    /// The word as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Skip => "skip",
            Self::Fail => "fail",
        }
    }
}

/// A file of a plan.
#[derive(Clone, Debug)]
pub struct PlannedFile {
    /// From where.
    pub source: End,
    /// To where.
    pub destination: End,
    /// Its size, where known.
    pub size_bytes: Option<u64>,
    /// What would become of it.
    pub fate: PlannedFate,
    /// Why, unless it is simply sent.
    pub reason: Option<String>,
}

/// What a transfer would do, as far as it was looked at.
#[derive(Clone, Debug, Default)]
pub struct TransferPlan {
    /// The first files.
    pub files: Vec<PlannedFile>,
    /// Files that were found.
    pub files_total: u64,
    /// Of these, files that would be sent.
    pub files_sent: u64,
    /// Of these, files that would be left alone.
    pub files_skipped: u64,
    /// Of these, files that would fail.
    pub files_failed: u64,
    /// Bytes of the files that would be sent, where known.
    pub bytes_total: u64,
    /// Why not everything was looked at, if so.
    pub is_cut_by: Option<String>,
}

impl Transfers<'_> {
    /// Checks a transfer as submitting it does, looks at both ends, and says what it would do. Nothing is made.
    pub async fn plan(&self, caller: &Caller, mut new: NewTransfer) -> Result<TransferPlan> {
        self.admit(caller, "transfers.create").await?;
        check(&new)?;
        let bundle = self.shape(caller, &mut new).await?;
        self.check_ends(caller, &new, bundle.as_ref()).await?;
        let transfer = self.row(caller, new, None);
        let planner = self.core.planner.get().ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "This node runs no transfers.").retry_after(5)
        })?;
        let wish = PlanRequest {
            caller: caller.clone(),
            transfer,
            bundle,
        };
        planner.plan(wish).await
    }
}

/// What is to be planned.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// On whose behalf.
    pub caller: Caller,
    /// The transfer, which is stored nowhere.
    pub transfer: Transfer,
    /// What it lists, if it moves many files.
    pub bundle: Option<Bundle>,
}
