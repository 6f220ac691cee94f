//! The words of the domain: typed ids, nouns, state tables, limits and error kinds.
//!
//! Nothing here performs I/O, is asynchronous, reads a clock or makes randomness: time and chance come in as
//! arguments ([`Clock`], [`Chance`]), so that everything above can be tested repeatably.
#![warn(missing_docs)]

mod alert;
mod alert_rule;
mod api_key;
mod calendar;
mod canonical;
mod channel;
mod clock;
mod error;
mod event;
mod file;
pub mod flow;
mod glob;
mod id;
mod job;
mod journal;
pub mod limit;
mod page;
mod path;
mod pgp_key;
mod principal;
mod remote;
mod remote_health;
mod remote_times;
mod schedule;
mod scope;
mod secret;
mod tenant;
mod text;
mod time;
mod transfer;
mod upload;
mod webhook;

pub use alert::{Alert, AlertAct, AlertHand, AlertState, AlertStep, Severity};
pub use alert_rule::{
    Absence, AlertMemory, AlertRule, AlertRuleKind, EntryFilter, Escalation, ExpectedFile,
    Expiring, Expiry, FileCount, Finding, FirstSeen, Habits, Health, Measure, Novelty, NoveltyKind,
    Rate, Threshold, Verdicts, Watch, Watched, WindowSpan,
};
pub use api_key::{ApiKey, KeyLimits, KeySecret, KeyState};
pub use calendar::{Calendar, Holiday, HolidayDate, WorkingDays};
pub use canonical::canonical;
pub use channel::{
    Channel, ChannelFilter, ChannelName, ChannelState, ChannelTarget, Publication,
    PublicationCounts, PublicationState, PublicationView, Replay, Subscriber,
};
pub use clock::{Chance, Clock};
pub use error::{Error, ErrorKind, FieldError, Result};
pub use event::EventType;
pub use file::{Classification, Extent, File, FileState, Folder, Placement};
pub use flow::{
    ArchiveFormat, ChecksumMode, ChecksumStep, CompressStep, ContentOut, ContentStep, CsvColumn,
    CsvForm, CsvType, ExtractStep, Flow, FlowDocument, FlowFile, FlowRun, FlowVersion,
    FoundSignature, JsonForm, Mandate, PgpDecrypt, PgpEncrypt, PgpSign, PgpVerify, RunState,
    SignatureMode, SignaturePlace, StepFault, StepRun, StepState, Suffix, ValidateStep,
};
pub use glob::Glob;
pub use id::*;
pub use job::{Job, JobKind, Lease};
pub use journal::{Entry, EntryKind, LEAF_NAMES, Outcome, SealedEntry, Subject, leaf_bytes};
pub use page::{Cursor, Page, PageRequest};
pub use path::{FileName, FilePath, FolderPath, NameRule, PathError};
pub use pgp_key::{
    PgpKey, PgpKeyName, PgpKeyPart, PgpKeyRef, PgpKeyState, PgpKeyTrust, PgpMaterial, PgpUsage,
};
pub use principal::{Principal, PrincipalKind, PrincipalState, Role};
pub use remote::{
    FtpsMode, HttpMethod, HttpSignIn, Remote, RemoteAddress, RemoteKind, RemoteName, RemoteRoute,
    RemoteSecretField, RemoteTls, SshKey, SshKeyAlgorithm,
};
pub use remote_health::{
    Admission, Circuit, HealthState, HealthStep, HealthTurn, RemoteCertificate, RemoteHealth,
};
pub use remote_times::{Allowance, RemoteTimes, RemoteWindow, Weekday, WindowEdge};
pub use schedule::{
    Cron, CronError, DayRule, DayTime, DayWindow, Due, Misfire, MisfireRule, Schedule,
    ScheduleResult, ScheduleRun, ScheduleTarget, Timing, Zone,
};
pub use scope::{Scope, Scopes};
pub use secret::{Secret, SecretName, SecretSource};
pub use tenant::{Tenant, TenantSettings, TenantState, Usage};
pub use time::Timestamp;
pub use transfer::{
    Bundle, CopyProof, End, FileCounts, OnConflict, RetryRule, Same, Transfer, TransferFault,
    TransferOutcome, TransferState, TransferStep, Verify, WaitReason,
};
pub use upload::{Part, Upload, UploadState};
pub use webhook::{
    Delivery, DeliveryState, Recovery, Webhook, WebhookFormat, WebhookLimits, WebhookOrdering,
    WebhookPayload, WebhookSigner, WebhookState,
};
