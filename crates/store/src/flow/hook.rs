use bailee_model::FlowId;
use bailee_model::flow::HookSecrets;

use crate::rows::{json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO flow_hook (tenant_id, flow_id, body, revision) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (tenant_id, flow_id) DO NOTHING";
    PUT: tenant = "UPDATE flow_hook SET body = $3, revision = $4 WHERE tenant_id = $1 AND flow_id = $2 AND revision = $5";
    READ: tenant = "SELECT body FROM flow_hook WHERE tenant_id = $1 AND flow_id = $2";
}

/// The conflict of [`Change::put_hook_secrets`]: they were changed since they were read.
pub const CHANGED: &str = "flow_hook";

impl Change {
    /// Writes the secrets of a flow's hook that are one revision older than these; the conflict is [`CHANGED`].
    pub fn put_hook_secrets(&mut self, flow: FlowId, secrets: &HookSecrets) -> &mut Self {
        if secrets.revision <= 1 {
            let row = values![flow, json(secrets), secrets.revision];
            return self.add(INSERT, row, Guard::One, CHANGED);
        }
        let old = secrets.revision.saturating_sub(1);
        let row = values![flow, json(secrets), secrets.revision, old];
        self.add(PUT, row, Guard::One, CHANGED)
    }
}

impl Reader {
    /// The secrets of a flow's hook, if it has any.
    pub async fn hook_secrets(&self, flow: FlowId) -> Result<Option<HookSecrets>, DbError> {
        self.document(READ, values![flow]).await
    }
}
