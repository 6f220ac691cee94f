use bailee_model::flow::HookSecrets;
use bailee_model::{
    ApiKey, Flow, FlowId, Folder, KeyId, Page, PageRequest, Principal, Tenant, TenantId, Timestamp,
};

use crate::rows::{from_json, json, statements};
use crate::{
    Change, Db, DbError, Durability, Guard, Reader, Row, Scope, Script, Sql, Value, values,
};

statements! {
    FIND_KEY: across = "SELECT k.tenant_id, k.body, p.body, t.body, t.wrapped_key FROM api_key k \
        JOIN principal p ON p.tenant_id = k.tenant_id AND p.id = k.principal_id \
        JOIN tenant t ON t.tenant_id = k.tenant_id WHERE k.id = $1";
    FIND_HOOK: across = "SELECT f.body, h.body, t.body FROM flow_hook h \
        JOIN flow f ON f.tenant_id = h.tenant_id AND f.id = h.flow_id \
        JOIN tenant t ON t.tenant_id = h.tenant_id WHERE h.flow_id = $1";
    USED: across = "UPDATE api_key SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
    TENANTS: across = "SELECT body FROM tenant WHERE tenant_id < $1 ORDER BY tenant_id DESC LIMIT $2";
    TENANT_NAMED: across = "SELECT body FROM tenant WHERE name = $1";
    SETTING: across = "SELECT value FROM setting WHERE name = $1";
    PUT_SETTING: across = "INSERT INTO setting (name, value) VALUES ($1, $2)";
    INSERT_TENANT: tenant = "INSERT INTO tenant (tenant_id, name, body, wrapped_key, created_at) VALUES ($1, $2, $3, $4, $5)";
    INSERT_USAGE: tenant = "INSERT INTO usage_total (tenant_id, bytes, files) VALUES ($1, 0, 0)";
    INSERT_ROOT: tenant = "INSERT INTO folder (tenant_id, id, parent_id, name, created_at) VALUES ($1, $2, NULL, '', $3)";
}

/// The conflict of [`Change::insert_tenant`]: the name is taken.
pub const TENANT_NAME: &str = "tenant_name";
/// The conflict of [`IdentityDoor::put_setting_once`]: it is set.
pub const SETTING_SET: &str = "setting";

/// A key with all that is needed to judge it, found by its id before any tenant is known.
#[derive(Clone, Debug)]
pub struct FoundKey {
    /// Whose it is.
    pub tenant: Tenant,
    /// Its owner.
    pub principal: Principal,
    /// The key.
    pub key: ApiKey,
    /// The tenant's wrapped wrapping_key.
    pub wrapped_key: Vec<u8>,
}

/// A flow with the secrets by which it is called, found by its id before any tenant is known.
#[derive(Clone, Debug)]
pub struct FoundHook {
    /// Whose it is.
    pub tenant: Tenant,
    /// The flow.
    pub flow: Flow,
    /// Its sealed secrets.
    pub secrets: HookSecrets,
}

/// Door without permit 1: credentials, before a tenant is known; tenants themselves; settings of the installation.
pub struct IdentityDoor {
    db: Db,
}

impl IdentityDoor {
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// Finds a key by its id.
    pub async fn find_key(&self, id: KeyId) -> Result<Option<FoundKey>, DbError> {
        let rows = self.fetch(FIND_KEY, values![id]).await?;
        rows.first()
            .map(|row| {
                Ok(FoundKey {
                    key: from_json(row, 1)?,
                    principal: from_json(row, 2)?,
                    tenant: from_json(row, 3)?,
                    wrapped_key: row.bytes(4)?.to_vec(),
                })
            })
            .transpose()
    }

    /// Finds the hook of a flow by the flow's id.
    pub async fn find_hook(&self, flow: FlowId) -> Result<Option<FoundHook>, DbError> {
        let rows = self.fetch(FIND_HOOK, values![flow]).await?;
        rows.first()
            .map(|row| {
                Ok(FoundHook {
                    flow: from_json(row, 0)?,
                    secrets: from_json(row, 1)?,
                    tenant: from_json(row, 2)?,
                })
            })
            .transpose()
    }

    /// Notes that a key was used. Not waited for: a lost mark is no harm.
    pub async fn mark_used(&self, id: KeyId, now: Timestamp) -> Result<(), DbError> {
        let mut script = Script::across();
        script
            .push(USED, values![id, now], Guard::Any, "key")
            .durability(Durability::Logged);
        self.db.run(script).await.map(drop)
    }

    /// A change to a tenant that the caller is not in: making it, suspending it, journalling a refused sign-in.
    pub fn change(&self, tenant: TenantId) -> Change {
        Change::new(self.db.clone(), tenant)
    }

    /// Reads a tenant that the caller is not in: its name, quota and usage.
    pub fn reader(&self, tenant: TenantId) -> Reader {
        Reader::new(self.db.clone(), tenant)
    }

    /// Tenants of the installation, newest first.
    pub async fn tenants(&self, page: &PageRequest) -> Result<Page<Tenant>, DbError> {
        let rows = self
            .fetch(
                TENANTS,
                values![crate::reader::before(page), page.limit + 1],
            )
            .await?;
        let found = rows
            .iter()
            .map(|row| from_json(row, 0))
            .collect::<Result<Vec<Tenant>, _>>()?;
        Ok(Page::cut(found, page.limit, |last| {
            crate::reader::by_id(last.id)
        }))
    }

    /// The tenant of a name.
    pub async fn tenant_named(&self, name: &str) -> Result<Option<Tenant>, DbError> {
        self.fetch(TENANT_NAMED, values![name])
            .await?
            .first()
            .map(|row| from_json(row, 0))
            .transpose()
    }

    /// A setting of the installation.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, DbError> {
        let rows = self.fetch(SETTING, values![name]).await?;
        rows.first()
            .map(|row| row.text(0).map(str::to_owned))
            .transpose()
    }

    /// Sets a setting that is not set yet; the conflict is [`SETTING_SET`].
    pub async fn put_setting_once(&self, name: &str, value: &str) -> Result<(), DbError> {
        let mut script = Script::across();
        script.push(PUT_SETTING, values![name, value], Guard::One, SETTING_SET);
        self.db.run(script).await.map(drop)
    }

    async fn fetch(&self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>, DbError> {
        self.db.fetch(Scope::Across, sql, values).await
    }
}

impl Change {
    /// Sets a setting of the installation that is not set yet; the conflict is [`SETTING_SET`].
    pub fn set_once(&mut self, name: &str, value: &str) -> &mut Self {
        self.add_across(PUT_SETTING, values![name, value], Guard::One, SETTING_SET)
    }

    /// Adds the tenant of this change with its root folder, counters and journal; the conflict is [`TENANT_NAME`].
    pub fn insert_tenant(
        &mut self,
        tenant: &Tenant,
        wrapped_key: &[u8],
        consumers: &[&str],
    ) -> &mut Self {
        let row = values![&tenant.name, json(tenant), wrapped_key, tenant.created_at];
        self.add(INSERT_TENANT, row, Guard::One, TENANT_NAME);
        self.add(INSERT_USAGE, values![], Guard::One, TENANT_NAME);
        self.add(
            INSERT_ROOT,
            values![Folder::ROOT, tenant.created_at],
            Guard::One,
            TENANT_NAME,
        );
        self.begin_journal(consumers)
    }
}
