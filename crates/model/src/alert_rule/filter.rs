use serde::{Deserialize, Serialize};

use crate::{Entry, EntryKind, FolderPath, RemoteName};

/// Which journal entries count. What is not named is not looked at; entries about alerts never count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryFilter {
    /// Event types, or families such as `transfer.*`; all entries if empty.
    pub types: Vec<String>,
    /// Operations: `files.upload`.
    pub operations: Vec<String>,
    /// By whom, by label: `svc:nightly`.
    pub user: Option<String>,
    /// How it ended: `success`, `denied`, `error`.
    pub status: Option<String>,
    /// About a path below this one.
    pub path_prefix: Option<FolderPath>,
    /// About a transfer from or to this remote.
    pub remote: Option<RemoteName>,
}

impl EntryFilter {
    /// Only events of a type.
    pub fn of_type(kind: &str) -> Self {
        Self {
            types: vec![kind.to_owned()],
            ..Self::default()
        }
    }

    /// Whether an entry counts.
    pub fn matches(&self, entry: &Entry) -> bool {
        let kind = entry.kind.as_str();
        if kind.starts_with("alert.") {
            return false;
        }
        let is_type = |wanted: &String| match wanted.strip_suffix(".*") {
            Some(family) => kind.split('.').next() == Some(family),
            None => wanted == kind,
        };
        let is_event = matches!(entry.kind, EntryKind::Event(_));
        (self.types.is_empty() || (is_event && self.types.iter().any(is_type)))
            && (self.operations.is_empty() || self.operations.contains(&entry.operation))
            && self.user.as_ref().is_none_or(|user| *user == entry.user)
            && self
                .status
                .as_ref()
                .is_none_or(|status| status == entry.status.as_str())
            && self
                .path_prefix
                .as_ref()
                .is_none_or(|prefix| is_below(entry, prefix))
            && self
                .remote
                .as_ref()
                .is_none_or(|remote| is_with(entry, remote))
    }
}

fn is_below(entry: &Entry, prefix: &FolderPath) -> bool {
    let path = entry.subject.path.as_ref();
    let path = path.and_then(|path| path.parse::<FolderPath>().ok());
    path.is_some_and(|path| path.is_within(prefix))
}

fn is_with(entry: &Entry, remote: &RemoteName) -> bool {
    let data: serde_json::Value = serde_json::from_str(&entry.data).unwrap_or_default();
    ["source", "destination"].iter().any(|end| {
        let end = data.get(end).and_then(serde_json::Value::as_str);
        // A path in Bailee begins with `/` and a file's id holds no colon.
        end.and_then(|end| end.split_once(':'))
            .is_some_and(|(name, _)| name == remote.as_str())
    })
}
