//! `delete_source`: whose rights suffice to have a source removed.

use std::collections::BTreeSet;

use bailee_auth::{Action, Caller, Resource};
use bailee_model::{
    Bundle, End, Error, FolderPath, HttpMethod, RemoteAddress, RemoteName, Result, Verify,
};

use super::{NewTransfer, Transfers};
use crate::files::{FileRef, Files};
use crate::gate::Ask;

const OPERATION: &str = "transfers.create";

impl Transfers<'_> {
    /// Refuses the removal of sources that the caller may not remove, that cannot be removed, or that nobody would have
    /// compared with their copy. Each file is asked about again when its turn has come.
    pub(super) async fn check_removal(
        &self,
        caller: &Caller,
        new: &NewTransfer,
        bundle: Option<&Bundle>,
    ) -> Result<()> {
        if !new.delete_source {
            return Ok(());
        }
        if new.verify == Verify::None {
            let detail =
                "A source is removed only after its copy was compared with it: `hash` or `size`.";
            return Err(Error::field("#/verify", "unverified", detail));
        }
        let listed = bundle.map_or(&[][..], |bundle| &bundle.sources);
        let sources = match listed {
            [] => std::slice::from_ref(&new.source),
            many => many,
        };
        let (mut folders, mut remotes) = (BTreeSet::new(), BTreeSet::new());
        for source in sources {
            match source {
                End::Remote { remote, .. } => {
                    remotes.insert(remote);
                }
                End::Folder { path } => {
                    folders.insert(path.clone());
                }
                End::Path { path } if sources.len() > 1 => {
                    folders.insert(path.folder().clone());
                }
                End::Path { path } => self.may_remove(caller, FileRef::Path(path.clone())).await?,
                End::File { file } => self.may_remove(caller, FileRef::Id(*file)).await?,
            }
        }
        for path in folders {
            self.may_remove_in(caller, path).await?;
        }
        for remote in remotes {
            self.may_remove_at(caller, remote).await?;
        }
        Ok(())
    }

    async fn may_remove(&self, caller: &Caller, file: FileRef) -> Result<()> {
        let files = Files { core: self.core };
        files
            .enter(caller, OPERATION, Action::FileDelete, &file)
            .await
            .map(drop)
    }

    async fn may_remove_in(&self, caller: &Caller, path: FolderPath) -> Result<()> {
        let ask = Ask {
            operation: OPERATION,
            action: Action::FileDelete,
            resource: &Resource::Folder { path },
            what: "folder",
        };
        self.core.enter(caller, ask).await.map(drop)
    }

    /// At a remote the scope is what counts: whoever may use the remote may already replace what is there.
    async fn may_remove_at(&self, caller: &Caller, name: &RemoteName) -> Result<()> {
        let root = Resource::Folder {
            path: FolderPath::root(),
        };
        self.core
            .refuse_without_scope(caller, OPERATION, Action::FileDelete, &root)
            .await?;
        let remote = self.core.usable_remote(caller, name, "#/source").await?;
        let only_gives = match &remote.address {
            RemoteAddress::Https {
                can_write, method, ..
            } => !can_write || *method == HttpMethod::Post,
            _ => false,
        };
        if only_gives {
            let detail = format!("Nothing can be removed at remote `{name}`: it only gives.");
            return Err(Error::field("#/delete_source", "cannot_remove", detail));
        }
        Ok(())
    }
}
