//! What flows and schedules name, so that nothing is removed that they need. Whoever names a thing holds its row first, and
//! whoever removes it looks here last: of two at once, one finds what the other did.

use bailee_model::flow::Named;
use bailee_model::{PgpKeyRef, limit};

use crate::rows::statements;
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO reference (tenant_id, user_id, target) VALUES ($1, $2, $3)";
    FORGET: tenant = "DELETE FROM reference WHERE tenant_id = $1 AND user_id = $2";
    UNUSED: tenant = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM reference WHERE tenant_id = $1 AND target IN ($2, $3))";
    USERS: tenant = "SELECT DISTINCT user_id FROM reference WHERE tenant_id = $1 AND target IN ($2, $3) ORDER BY user_id LIMIT $4";
    HOLD_REMOTE: tenant = "UPDATE remote SET name = name WHERE tenant_id = $1 AND name = $2";
    HOLD_KEY: tenant = "UPDATE pgp_key SET name = name WHERE tenant_id = $1 AND id = $2";
    HOLD_KEY_NAMED: tenant = "UPDATE pgp_key SET name = name WHERE tenant_id = $1 AND name = $2";
    HOLD_WEBHOOK: tenant = "UPDATE webhook SET revision = revision WHERE tenant_id = $1 AND id = $2";
    HOLD_FLOW: tenant = "UPDATE flow SET name = name WHERE tenant_id = $1 AND id = $2";
    HOLD_FLOW_NAMED: tenant = "UPDATE flow SET name = name WHERE tenant_id = $1 AND name = $2";
}

/// The conflict of [`Change::put_references`]: what is named is not there.
pub const GONE: &str = "reference_gone";
/// The conflict of [`Change::admit_removal`]: a flow or a schedule names it.
pub const IN_USE: &str = "reference_in_use";

impl Change {
    /// Replaces all that `user`, a flow or a schedule, names; the conflict is [`GONE`].
    pub fn put_references(&mut self, user: &str, named: &[Named]) -> &mut Self {
        self.forget_references(user);
        for named in named {
            let (hold, key) = match named {
                Named::Remote(name) => (HOLD_REMOTE, name.to_string()),
                Named::PgpKey(PgpKeyRef::Id(id)) => (HOLD_KEY, id.to_string()),
                Named::PgpKey(PgpKeyRef::Name(name)) => (HOLD_KEY_NAMED, name.to_string()),
                Named::Webhook(id) => (HOLD_WEBHOOK, id.to_string()),
                Named::Flow(id) => (HOLD_FLOW, id.to_string()),
                Named::FlowCalled(name) => (HOLD_FLOW_NAMED, name.to_string()),
            };
            self.add(hold, values![key], Guard::One, GONE);
            self.add(INSERT, values![user, named.to_string()], Guard::One, GONE);
        }
        self
    }

    /// Forgets what `user` names: it is removed.
    pub fn forget_references(&mut self, user: &str) -> &mut Self {
        self.add(FORGET, values![user], Guard::Any, GONE)
    }

    /// Makes this change fail with [`IN_USE`] if anything names what it removes or renames, in either way. It is added
    /// behind the removal, which waits for those who hold the row.
    pub fn admit_removal(&mut self, [one, other]: [&Named; 2]) -> &mut Self {
        let row = values![one.to_string(), other.to_string()];
        self.add(UNUSED, row, Guard::One, IN_USE)
    }
}

impl Reader {
    /// Ids of flows and schedules that name something, in either way: at most [`limit::USERS_TOLD_MAX`] and one.
    pub async fn users_of(&self, [one, other]: [&Named; 2]) -> Result<Vec<String>, DbError> {
        let row = values![
            one.to_string(),
            other.to_string(),
            limit::USERS_TOLD_MAX + 1
        ];
        let rows = self.rows(USERS, row).await?;
        let ids = rows.iter().map(|row| row.text(0).map(str::to_owned));
        ids.collect()
    }
}
