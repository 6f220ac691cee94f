use bailee_model::{Page, PageRequest, Remote, RemoteId, RemoteName};

use crate::rows::{from_json, json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO remote (tenant_id, id, name, body, revision) VALUES ($1, $2, $3, $4, $5)";
    PUT: tenant = "UPDATE remote SET name = $3, body = $4, revision = $5 WHERE tenant_id = $1 AND id = $2 AND revision = $6";
    DELETE: tenant = "DELETE FROM remote WHERE tenant_id = $1 AND id = $2 AND revision = $3";
    READ: tenant = "SELECT body FROM remote WHERE tenant_id = $1 AND id = $2";
    BY_NAME: tenant = "SELECT body FROM remote WHERE tenant_id = $1 AND name = $2";
    LIST: tenant = "SELECT body FROM remote WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
}

/// The conflict of remote verbs when the name is taken or the remote was changed since it was read.
pub const NAME: &str = "remote_name";

impl Change {
    /// Adds a remote; the conflict is [`NAME`].
    pub fn insert_remote(&mut self, remote: &Remote) -> &mut Self {
        let row = values![
            remote.id,
            remote.name.as_str(),
            json(remote),
            remote.revision
        ];
        self.add(INSERT, row, Guard::One, NAME)
    }

    /// Replaces a remote that is one revision older than this one; the conflict is [`NAME`].
    pub fn put_remote(&mut self, remote: &Remote) -> &mut Self {
        let old = remote.revision.saturating_sub(1);
        let row = values![
            remote.id,
            remote.name.as_str(),
            json(remote),
            remote.revision,
            old
        ];
        self.add(PUT, row, Guard::One, NAME)
    }

    /// Removes a remote as it was read; the conflict is [`NAME`].
    pub fn delete_remote(&mut self, remote: &Remote) -> &mut Self {
        let row = values![remote.id, remote.revision];
        self.add(DELETE, row, Guard::One, NAME)
    }
}

impl Reader {
    /// One remote.
    pub async fn remote(&self, id: RemoteId) -> Result<Option<Remote>, DbError> {
        self.row(READ, values![id])
            .await?
            .map(|row| from_json(&row, 0))
            .transpose()
    }

    /// The remote of a name.
    pub async fn remote_named(&self, name: &RemoteName) -> Result<Option<Remote>, DbError> {
        self.row(BY_NAME, values![name.as_str()])
            .await?
            .map(|row| from_json(&row, 0))
            .transpose()
    }

    /// Remotes, newest first.
    pub async fn remotes(&self, page: &PageRequest) -> Result<Page<Remote>, DbError> {
        let rows = self
            .rows(LIST, values![crate::reader::before(page), page.limit + 1])
            .await?;
        let found = rows
            .iter()
            .map(|row| from_json(row, 0))
            .collect::<Result<Vec<Remote>, _>>()?;
        Ok(Page::cut(found, page.limit, |last| {
            crate::reader::by_id(last.id)
        }))
    }
}
