use bailee_model::{Tenant, Usage};

use crate::rows::{json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    PUT: tenant = "UPDATE tenant SET body = $2 WHERE tenant_id = $1 AND body = $3";
    RENAME: tenant = "UPDATE tenant SET name = $2 WHERE tenant_id = $1";
    READ: tenant = "SELECT body, wrapped_key FROM tenant WHERE tenant_id = $1";
    USAGE: tenant = "SELECT bytes, files FROM usage_total WHERE tenant_id = $1";
    ADD_USAGE: tenant = "UPDATE usage_total SET bytes = bytes + $2, files = files + $3 \
        WHERE tenant_id = $1 AND bytes + $2 <= $4 AND files + $3 <= $5";
    RECOUNT: tenant = "SELECT COALESCE(CAST((SELECT SUM(size_bytes) FROM file WHERE tenant_id = $1) AS BIGINT), 0) \
        + COALESCE(CAST((SELECT SUM(p.size_bytes) FROM part p JOIN upload u ON u.tenant_id = p.tenant_id AND u.id = p.upload_id \
        WHERE p.tenant_id = $1 AND u.state = 'open') AS BIGINT), 0), \
        (SELECT COUNT(*) FROM file WHERE tenant_id = $1)";
}

/// The conflict of [`Change::put_tenant`]: it was changed since it was read.
pub const CHANGED: &str = "tenant";
/// The conflict of [`Change::add_usage`].
pub const QUOTA: &str = "quota";

impl Change {
    /// Replaces the tenant's name, settings and state if they are still as they were read; the conflict is
    /// [`CHANGED`], or [`crate::conflict::TENANT_NAME`] where a new name is taken.
    pub fn put_tenant(&mut self, tenant: &Tenant, as_read: &Tenant) -> &mut Self {
        let row = values![json(tenant), json(as_read)];
        self.add(PUT, row, Guard::One, CHANGED);
        if tenant.name != as_read.name {
            let name = crate::conflict::TENANT_NAME;
            self.add(RENAME, values![&tenant.name], Guard::One, name);
        }
        self
    }

    /// Counts bytes and files against the tenant's quota; the conflict is [`QUOTA`]. Negative numbers give back and
    /// always pass. Put it last: the row is shared by everybody in the tenant.
    pub fn add_usage(&mut self, bytes: i64, files: i64, tenant: &Tenant) -> &mut Self {
        let bound = |added: i64, quota: Option<u64>| match quota {
            Some(quota) if added > 0 => i64::try_from(quota).unwrap_or(i64::MAX),
            _ => i64::MAX,
        };
        let bounds = (
            bound(bytes, tenant.quota_bytes),
            bound(files, tenant.quota_files),
        );
        self.add(
            ADD_USAGE,
            values![bytes, files, bounds.0, bounds.1],
            Guard::One,
            QUOTA,
        )
    }
}

impl Reader {
    /// The tenant and its wrapped wrapping_key.
    pub async fn own_tenant(&self) -> Result<Option<(Tenant, Vec<u8>)>, DbError> {
        let row = self.row(READ, values![]).await?;
        row.map(|row| Ok((crate::rows::from_json(&row, 0)?, row.bytes(1)?.to_vec())))
            .transpose()
    }

    /// What the tenant stores now, as counted with each change.
    pub async fn usage(&self) -> Result<Usage, DbError> {
        let row = self.row(USAGE, values![]).await?;
        row.map_or(Ok(Usage::default()), |row| {
            Ok(Usage {
                bytes: row.uint(0)?,
                files: row.uint(1)?,
            })
        })
    }

    /// What the tenant's files add up to, counted afresh: equals [`Reader::usage`] unless something is wrong.
    pub async fn recount(&self) -> Result<Usage, DbError> {
        let row = self.row(RECOUNT, values![]).await?;
        row.map_or(Ok(Usage::default()), |row| {
            Ok(Usage {
                bytes: row.uint(0)?,
                files: row.uint(1)?,
            })
        })
    }
}
