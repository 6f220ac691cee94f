use bailee_model::Scope;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident needs $scope:ident;)*) => {
        /// What a caller asks to do. The names are those of the policy schema.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// All actions.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The scope without which the built-in policies forbid it. One's own principal and keys need none.
            pub const fn scope(self) -> Scope {
                match self { $(Self::$name => Scope::$scope,)* }
            }

            /// As in policies and in the journal.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

actions! {
    /// Read a file's content.
    FileRead needs FilesRead;
    /// Make or replace a file, or change what is said about it.
    FileWrite needs FilesWrite;
    /// Move a file to the trash, or remove it from there.
    FileDelete needs FilesDelete;
    /// See that files and folders are there, with name, size and kind, and without content.
    FileList needs FilesRead;
    /// Make, rename or move a folder.
    FolderWrite needs FilesWrite;
    /// Remove a folder.
    FolderDelete needs FilesDelete;
    /// See transfers.
    TransferRead needs TransfersRead;
    /// Ask for a transfer.
    TransferCreate needs TransfersWrite;
    /// Pause, resume, retry or cancel a transfer.
    TransferControl needs TransfersWrite;
    /// See remotes, without their credentials.
    RemoteRead needs RemotesRead;
    /// Name a remote in a transfer.
    RemoteUse needs TransfersWrite;
    /// Make, change, test and remove remotes.
    RemoteManage needs RemotesManage;
    /// See schedules and calendars.
    ScheduleRead needs FlowsRead;
    /// Make, change, hold and remove schedules and calendars.
    ScheduleManage needs FlowsManage;
    /// See alerts and alert rules.
    AlertRead needs AlertsRead;
    /// Take, snooze and resolve alerts; make, change and remove alert rules.
    AlertManage needs AlertsManage;
    /// See OpenPGP keys, and take their public parts.
    PgpKeyRead needs FlowsRead;
    /// Encrypt, decrypt, sign and verify with an OpenPGP key.
    PgpKeyUse needs FlowsManage;
    /// Import, make, change and remove OpenPGP keys.
    PgpKeyManage needs FlowsManage;
    /// See channels and their subscribers.
    ChannelRead needs FlowsRead;
    /// Make, change and remove channels and their subscribers, and hand files on again.
    ChannelManage needs FlowsManage;
    /// See, make, change and remove webhooks and their deliveries.
    WebhookManage needs WebhooksManage;
    /// See flows and their runs.
    FlowRead needs FlowsRead;
    /// Make, change, start, end and remove flows and their runs.
    FlowManage needs FlowsManage;
    /// Decide what a run of a flow asks a second person.
    FlowApprove needs ApprovalsDecide;
    /// Read the event feed.
    EventRead needs EventsRead;
    /// Read the journal as audit.
    AuditRead needs AuditRead;
    /// See principals and keys, without secrets.
    IdentityRead needs IdentityRead;
    /// Make, change, rotate and revoke principals and keys.
    IdentityManage needs IdentityManage;
    /// See the tenant's settings and usage.
    SettingsRead needs SettingsRead;
    /// Change the tenant's settings.
    SettingsManage needs SettingsManage;
    /// See, make, suspend and remove tenants.
    TenantManage needs System;
    /// See how the installation fares.
    SystemRead needs System;
}

impl Action {
    /// Whether it changes nothing.
    pub const fn is_read(self) -> bool {
        matches!(
            self,
            Self::FileRead
                | Self::FileList
                | Self::TransferRead
                | Self::RemoteRead
                | Self::ScheduleRead
                | Self::AlertRead
                | Self::PgpKeyRead
                | Self::ChannelRead
                | Self::FlowRead
                | Self::EventRead
                | Self::AuditRead
                | Self::IdentityRead
                | Self::SettingsRead
                | Self::SystemRead
        )
    }
}
