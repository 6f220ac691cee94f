use bailee_model::{Classification, FilePath, FolderPath, PrincipalId, RemoteName};

use crate::Action;

/// On what a caller acts, always in its own tenant: the tenant is the caller's and cannot be named here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The tenant itself: collections, settings, the journal.
    Tenant,
    /// A folder, there or to be made.
    Folder {
        /// Its place.
        path: FolderPath,
    },
    /// A file, there or to be made.
    File {
        /// Its place.
        path: FilePath,
        /// How sensitive it is, if anybody said.
        classification: Option<Classification>,
        /// Who made it; `None` when it is yet to be made.
        owner: Option<PrincipalId>,
    },
    /// A transfer.
    Transfer {
        /// Who asked for it.
        owner: PrincipalId,
    },
    /// A remote.
    Remote {
        /// Its name.
        name: RemoteName,
    },
    /// An OpenPGP key.
    PgpKey,
    /// A webhook.
    Webhook,
    /// A flow, or a run of one.
    Flow,
    /// A user or service account.
    Principal {
        /// Which.
        id: PrincipalId,
    },
    /// An API key, there or to be made.
    Key {
        /// Whose.
        owner: PrincipalId,
    },
    /// The installation.
    System,
}

impl Resource {
    /// Whether one of `prefixes` holds this. A resource without a path is within any, and no prefixes are no bound.
    pub(crate) fn is_within_any(&self, prefixes: &[FolderPath]) -> bool {
        let holds = |prefix: &FolderPath| match self {
            Self::Folder { path } => path.is_within(prefix),
            Self::File { path, .. } => path.is_within(prefix),
            _ => true,
        };
        prefixes.is_empty() || prefixes.iter().any(holds)
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Tenant => Kind::Tenant,
            Self::Folder { .. } => Kind::Folder,
            Self::File { .. } => Kind::File,
            Self::Transfer { .. } => Kind::Transfer,
            Self::Remote { .. } => Kind::Remote,
            Self::PgpKey => Kind::PgpKey,
            Self::Webhook => Kind::Webhook,
            Self::Flow => Kind::Flow,
            Self::Principal { .. } => Kind::Principal,
            Self::Key { .. } => Kind::Key,
            Self::System => Kind::System,
        }
    }

    pub(crate) fn owner(&self) -> Option<PrincipalId> {
        match self {
            Self::File { owner, .. } => *owner,
            Self::Transfer { owner } | Self::Key { owner } => Some(*owner),
            Self::Principal { id } => Some(*id),
            _ => None,
        }
    }
}

/// The kinds of resources, as the policy schema names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Tenant,
    Folder,
    File,
    Transfer,
    Remote,
    PgpKey,
    Webhook,
    Flow,
    Principal,
    Key,
    System,
}

impl Kind {
    pub(crate) const ALL: &'static [Self] = &[
        Self::Tenant,
        Self::Folder,
        Self::File,
        Self::Transfer,
        Self::Remote,
        Self::PgpKey,
        Self::Webhook,
        Self::Flow,
        Self::Principal,
        Self::Key,
        Self::System,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "Tenant",
            Self::Folder => "Folder",
            Self::File => "File",
            Self::Transfer => "Transfer",
            Self::Remote => "Remote",
            Self::PgpKey => "PgpKey",
            Self::Webhook => "Webhook",
            Self::Flow => "Flow",
            Self::Principal => "Principal",
            Self::Key => "Key",
            Self::System => "System",
        }
    }

    /// Who may do one of these to a resource of this kind may know that it is there. `None`: everybody may, because
    /// there is nothing to hide about the caller's own tenant, the installation, or the fact that webhooks exist.
    pub(crate) const fn seen_by(self) -> Option<&'static [Action]> {
        match self {
            Self::Tenant | Self::System | Self::Webhook => None,
            Self::Folder | Self::File => Some(&[Action::FileRead, Action::FileList]),
            Self::Transfer => Some(&[Action::TransferRead]),
            Self::Remote => Some(&[Action::RemoteRead]),
            Self::PgpKey => Some(&[Action::PgpKeyRead]),
            Self::Flow => Some(&[Action::FlowRead]),
            Self::Principal | Self::Key => Some(&[Action::IdentityRead]),
        }
    }
}
