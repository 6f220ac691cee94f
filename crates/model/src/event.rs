use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What a published journal entry tells.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EventType { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl EventType {
            /// All types.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The type as on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

events! {
    /// A file version became readable.
    FileUploaded = "file.uploaded";
    /// Bytes of a file were handed out.
    FileDownloaded = "file.downloaded";
    /// A file version went to the trash or was purged.
    FileDeleted = "file.deleted";
    /// A transfer was submitted.
    TransferCreated = "transfer.created";
    /// A runner took a transfer for the first time.
    TransferStarted = "transfer.started";
    /// A transfer ended well.
    TransferCompleted = "transfer.completed";
    /// A transfer ended otherwise.
    TransferFailed = "transfer.failed";
    /// A time of a schedule came, and what it is for was refused.
    ScheduleFailed = "schedule.failed";
    /// Times of a schedule passed without a run.
    ScheduleMissed = "schedule.missed";
    /// Something needs attention.
    AlertOpened = "alert.opened";
    /// What needs attention is another problem now, or is back after its sleep.
    AlertChanged = "alert.changed";
    /// Somebody took an alert.
    AlertAcknowledged = "alert.acknowledged";
    /// Somebody does not want to hear of an alert for a time.
    AlertSnoozed = "alert.snoozed";
    /// Nobody took an alert for too long.
    AlertEscalated = "alert.escalated";
    /// An alert is over.
    AlertResolved = "alert.resolved";
    /// A remote that was well cannot be reached any more, or lets nobody in.
    RemoteUnhealthy = "remote.unhealthy";
    /// A remote that was not well is again.
    RemoteRecovered = "remote.recovered";
    /// A certificate that is needed to reach a remote ends soon.
    CredentialExpiring = "credential.expiring";
    /// A run of a flow began.
    FlowRunStarted = "flow.run_started";
    /// A run of a flow ended well.
    FlowRunCompleted = "flow.run_completed";
    /// A run of a flow ended otherwise.
    FlowRunFailed = "flow.run_failed";
    /// A run of a flow waits for a second person.
    FlowApprovalRequested = "flow.approval_requested";
    /// A step of a flow tells something.
    FlowNotified = "flow.notified";
    /// A credential was refused.
    AuthFailed = "auth.failed";
    /// Policy, scope, network or a path bound refused a caller.
    PolicyViolated = "policy.violated";
    /// A webhook was switched off because its receiver failed for too long or asked for it.
    WebhookDisabled = "webhook.disabled";
    /// A test of a webhook.
    Ping = "ping";
}

impl FromStr for EventType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == text)
            .ok_or(())
    }
}
