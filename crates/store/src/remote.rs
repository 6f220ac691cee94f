use bailee_model::{Page, PageRequest, Remote, RemoteId, RemoteName};

use crate::rows::{json, statements};
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

    /// Removes a remote as it was read, with its health; the conflict is [`NAME`].
    pub fn delete_remote(&mut self, remote: &Remote) -> &mut Self {
        self.forget_remote_health(remote.id);
        let row = values![remote.id, remote.revision];
        self.add(DELETE, row, Guard::One, NAME)
    }
}

impl Reader {
    /// One remote.
    pub async fn remote(&self, id: RemoteId) -> Result<Option<Remote>, DbError> {
        self.document(READ, values![id]).await
    }

    /// The remote of a name.
    pub async fn remote_named(&self, name: &RemoteName) -> Result<Option<Remote>, DbError> {
        self.document(BY_NAME, values![name.as_str()]).await
    }

    /// Remotes, newest first.
    pub async fn remotes(&self, page: &PageRequest) -> Result<Page<Remote>, DbError> {
        self.documents(
            LIST,
            values![crate::reader::before(page), page.limit + 1],
            page.limit,
            |last: &Remote| last.id,
        )
        .await
    }
}
