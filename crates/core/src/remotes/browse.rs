//! Looking around: what is in a remote's folders, who uses a remote.

use bailee_auth::{Action, Caller};
use bailee_model::flow::Named;
use bailee_model::{
    Cursor, End, Error, ErrorKind, Flow, Page, PageRequest, Remote, RemoteId, Result, Schedule,
    Transfer, Webhook, limit,
};

use super::Remotes;
use crate::error;
use crate::ports::{RemoteChild, RemoteFolder};
use crate::references::NamedBy;

/// What uses a remote.
#[derive(Clone, Debug)]
pub enum RemoteUse {
    /// A transfer from or to it that has not ended.
    Transfer(Box<Transfer>),
    /// A flow whose newest document names it.
    Flow(Box<Flow>),
    /// A schedule of a transfer from or to it.
    Schedule(Box<Schedule>),
    /// A webhook for events about it.
    Webhook(Box<Webhook>),
}

impl Remotes<'_> {
    /// A page of what is in the folder `path` of a remote, by name, and what is said of the whole folder.
    pub async fn children(
        &self,
        caller: &Caller,
        id: RemoteId,
        path: &str,
        page: &PageRequest,
    ) -> Result<(Page<RemoteChild>, RemoteFolder)> {
        let (permit, remote) = self
            .find(caller, "remotes.children", Action::RemoteRead, id)
            .await?;
        let prober = self.core.reach()?;
        if !prober.abilities(remote.kind()).can_list {
            let detail = "A remote of this kind cannot list its folders.";
            return Err(Error::new(ErrorKind::StateConflict, detail));
        }
        let target = self.core.target(permit.tenant(), remote).await?;
        let mut folder = prober.browse(target, path).await?;
        let mut rows = std::mem::take(&mut folder.children);
        if let Some(after) = &page.after {
            rows.retain(|child| child.name > after.key);
        }
        let page = Page::cut(rows, page.limit, |last| Cursor {
            key: last.name.clone(),
            id: String::new(),
        });
        Ok((page, folder))
    }

    /// What uses a remote: transfers that have not ended, newest first, then flows and schedules, then webhooks. Whether
    /// there is more than is told.
    pub async fn used_by(&self, caller: &Caller, id: RemoteId) -> Result<(Vec<RemoteUse>, bool)> {
        let (permit, remote) = self
            .find(caller, "remotes.used_by", Action::RemoteRead, id)
            .await?;
        let reader = self.core.store.reader(&permit);
        let most = limit::REMOTE_USES_MAX;
        let mut transfers = reader
            .open_transfers_at(&remote.name, most + 1)
            .await
            .map_err(error::from_db)?;
        let mut has_more = transfers.len() > most as usize;
        transfers.truncate(most as usize);
        transfers.retain(|transfer| is_at(transfer, &remote));
        let mut uses: Vec<_> = transfers
            .into_iter()
            .map(|transfer| RemoteUse::Transfer(Box::new(transfer)))
            .collect();
        let named = Named::Remote(remote.name.clone());
        let (named_by, others) = self
            .core
            .named_by(caller, &reader, [&named, &named])
            .await?;
        has_more |= others > 0;
        uses.extend(named_by.into_iter().map(|user| match user {
            NamedBy::Flow(flow) => RemoteUse::Flow(flow),
            NamedBy::Schedule(schedule) => RemoteUse::Schedule(schedule),
        }));
        let mut page = PageRequest {
            limit: limit::PAGE_MAX,
            after: None,
        };
        loop {
            let found = reader.webhooks(&page).await.map_err(error::from_db)?;
            let bound = found.data.into_iter();
            let bound = bound.filter(|webhook| webhook.remote.as_ref() == Some(&remote.name));
            uses.extend(bound.map(|webhook| RemoteUse::Webhook(Box::new(webhook))));
            page.after = found.next;
            if page.after.is_none() {
                return Ok((uses, has_more));
            }
        }
    }
}

fn is_at(transfer: &Transfer, remote: &Remote) -> bool {
    let is_there =
        |end: &End| matches!(end, End::Remote { remote: name, .. } if *name == remote.name);
    is_there(&transfer.source) || is_there(&transfer.destination)
}
