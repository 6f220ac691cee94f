//! What a first start makes, and what every start opens.

use bailee_auth::{KeyEnv, KeyText};
use bailee_model::{
    ApiKey, Chance, Error, KeyId, KeyLimits, KeySecret, KeyState, Principal, PrincipalId,
    PrincipalState, Result, Role, Scope, Scopes, ServiceAccountId, Tenant, TenantId,
    TenantSettings, TenantState, UserId, limit,
};
use bailee_store::{Change, DbError, Store, conflict};
use bailee_vault::WrappingKey;

use crate::journal::Note;
use crate::{Core, CoreParts, SigningKey, error};

/// The tenant of the installation's operator. It holds no files; failed sign-ins of nobody's key are journalled here.
pub const SYSTEM_TENANT: TenantId = TenantId::from_bits(0);

/// Consumers of the journal that have a cursor in every tenant.
pub(crate) const CONSUMERS: &[&str] = &["webhooks"];

/// Setting: the checkpoint signing key, sealed by the system tenant's wrapping_key.
const SIGNING_KEY: &str = "checkpoint_key";

/// Setting: the first operator. It is made once, whatever becomes of it and of its name.
const FIRST_OPERATOR: &str = "first_operator";

/// A tenant made with its first administrator.
pub struct FirstTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// Its administrator.
    pub administrator: Principal,
    /// The administrator's first key, shown once.
    pub key: KeyText,
    /// The key's row.
    pub api_key: ApiKey,
}

/// Opens what the core needs; at a first start makes the system tenant and the signing key.
pub(crate) async fn open(parts: &CoreParts) -> Result<SigningKey> {
    let identity = parts.store.identity();
    let chance = &*parts.chance;
    let context = SYSTEM_TENANT.to_string();
    let mut found = identity
        .reader(SYSTEM_TENANT)
        .own_tenant()
        .await
        .map_err(error::from_db)?;
    if found.is_none() {
        let tenant = Tenant {
            id: SYSTEM_TENANT,
            name: "system".to_owned(),
            state: TenantState::Active,
            quota_bytes: Some(0),
            quota_files: Some(0),
            settings: TenantSettings::default(),
            created_at: parts.clock.now(),
        };
        let key = WrappingKey::generate(chance);
        let wrapped = key
            .wrap_with(&parts.root_key, &context, chance)
            .map_err(error::from_key)?;
        let mut change = identity.change(SYSTEM_TENANT);
        change.insert_tenant(&tenant, &wrapped, CONSUMERS);
        match change.commit().await {
            // Another node was first; its tenant is read below.
            Ok(()) | Err(DbError::Conflict(conflict::TENANT_NAME)) => {}
            Err(error) => return Err(error::from_db(error)),
        }
        found = identity
            .reader(SYSTEM_TENANT)
            .own_tenant()
            .await
            .map_err(error::from_db)?;
    }
    let (_, wrapped) = found.ok_or_else(|| Error::internal("the system tenant is missing"))?;
    let key =
        WrappingKey::unwrap_with(&wrapped, &parts.root_key, &context).map_err(error::from_key)?;
    let seed = secret(&parts.store, &key, chance, SIGNING_KEY).await?;
    SigningKey::from_seed(seed.as_slice())
}

/// A random secret of the installation, the same on every node: made when it is first asked for, kept sealed.
async fn secret(
    store: &Store,
    key: &WrappingKey,
    chance: &dyn Chance,
    name: &str,
) -> Result<zeroize::Zeroizing<[u8; 32]>> {
    let identity = store.identity();
    if identity
        .setting(name)
        .await
        .map_err(error::from_db)?
        .is_none()
    {
        let mut fresh = zeroize::Zeroizing::new([0; 32]);
        chance.fill(fresh.as_mut_slice());
        let sealed = key
            .seal_secret(fresh.as_slice(), name, chance)
            .map_err(error::from_key)?;
        match identity.put_setting_once(name, &hex::encode(sealed)).await {
            // Another node was first; its secret is read below.
            Ok(()) | Err(DbError::Conflict(conflict::SETTING_SET)) => {}
            Err(error) => return Err(error::from_db(error)),
        }
    }
    let sealed = identity
        .setting(name)
        .await
        .map_err(error::from_db)?
        .unwrap_or_default();
    let opened = key
        .open_secret(&hex::decode(sealed).map_err(Error::internal)?, name)
        .map_err(error::from_key)?;
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    if opened.len() != bytes.len() {
        return Err(Error::internal(
            "a secret of the installation has another size",
        ));
    }
    bytes.copy_from_slice(&opened);
    Ok(bytes)
}

impl Core {
    /// A random secret of the installation by name, the same on every node and after every start.
    pub async fn installation_secret(&self, name: &str) -> Result<[u8; 32]> {
        let known = self.tenant(SYSTEM_TENANT).await?;
        secret(&self.store, &known.key, &*self.chance, name)
            .await
            .map(|bytes| *bytes)
    }

    /// Makes a tenant with an administrator and its first key. `operation` names the cause in the new journal; what
    /// stands beside it in other tenants' rows is the same transaction.
    pub(crate) async fn make_tenant(
        &self,
        tenant: Tenant,
        operation: &'static str,
        beside: Option<Change>,
    ) -> Result<FirstTenant> {
        let now = self.clock.now();
        let administrator = Principal {
            id: PrincipalId::User(UserId::new(now, &*self.chance)),
            name: "administrator".to_owned(),
            state: PrincipalState::Active,
            roles: vec![Role::Administrator],
            created_at: now,
        };
        let scopes: Scopes = [Scope::Admin].into_iter().collect();
        let (api_key, key) = self.new_key(administrator.id, "first key", scopes);
        let wrapping = WrappingKey::generate(&*self.chance);
        let wrapped = wrapping
            .wrap_with(self.keyring.root(), &tenant.id.to_string(), &*self.chance)
            .map_err(error::from_key)?;
        let note = Note::record(operation)
            .about(tenant.id)
            .with(serde_json::json!({ "name": tenant.name }));
        let mut change = self.store.identity().change(tenant.id);
        change
            .insert_tenant(&tenant, &wrapped, CONSUMERS)
            .insert_principal(&administrator)
            .insert_key(&api_key, limit::LIVE_KEYS_MAX);
        change.journal(&self.own_entry(note));
        let whole = match beside {
            Some(beside) => change.and(beside),
            None => change,
        };
        whole.commit().await.map_err(|error| match error {
            DbError::Conflict(conflict::TENANT_NAME) => tenant_name_taken(),
            other => error::from_db(other),
        })?;
        Ok(FirstTenant {
            tenant,
            administrator,
            key,
            api_key,
        })
    }

    /// A key for `principal` with the default life.
    pub(crate) fn new_key(
        &self,
        principal: PrincipalId,
        name: &str,
        scopes: Scopes,
    ) -> (ApiKey, KeyText) {
        let now = self.clock.now();
        let text = KeyText::make(
            self.settings.key_env,
            KeyId::new(now, &*self.chance),
            &*self.chance,
        );
        let key = ApiKey {
            id: text.id(),
            principal,
            name: name.to_owned(),
            scopes,
            limits: KeyLimits::default(),
            state: KeyState::Active,
            secrets: vec![KeySecret {
                hash: text.hash(),
                until: None,
            }],
            expires_at: Some(now.plus(limit::KEY_LIFE)),
            created_at: now,
            rotated_at: None,
            revoked_at: None,
        };
        (key, text)
    }

    /// At a first start: an operator's service account in the system tenant, with a key. `None` when there is one.
    pub async fn first_operator(&self) -> Result<Option<KeyText>> {
        let operator = self.new_operator("operator");
        let identity = self.store.identity();
        let is_made = identity.setting(FIRST_OPERATOR).await;
        if is_made.map_err(error::from_db)?.is_some() {
            return Ok(None);
        }
        let (key, text) = self.new_key(operator.id, "first key", operator_scopes());
        let mut change = self.store.identity().change(SYSTEM_TENANT);
        change
            .insert_principal(&operator)
            .insert_key(&key, limit::LIVE_KEYS_MAX);
        change.journal(&self.own_entry(Note::record("setup.operator").about(operator.id)));
        change.set_once(FIRST_OPERATOR, &operator.id.to_string());
        match change.commit().await {
            Ok(()) => Ok(Some(text)),
            Err(DbError::Conflict(conflict::PRINCIPAL_NAME | conflict::SETTING_SET)) => Ok(None),
            Err(error) => Err(error::from_db(error)),
        }
    }

    /// Another key for the operator, for whoever holds the installation's files: `bailee operator key`. It is a key of
    /// the first operator, or of a new one where that is no operator any more.
    pub async fn another_operator_key(&self) -> Result<KeyText> {
        let identity = self.store.identity();
        let first = identity.setting(FIRST_OPERATOR).await;
        let first = first
            .map_err(error::from_db)?
            .and_then(|id| id.parse().ok());
        let found = match first {
            Some(id) => identity.reader(SYSTEM_TENANT).principal(id).await,
            None => Ok(None),
        };
        let operator = found.map_err(error::from_db)?.filter(|found| {
            found.state == PrincipalState::Active && found.roles.contains(&Role::Operator)
        });
        let mut change = identity.change(SYSTEM_TENANT);
        let operator = operator.unwrap_or_else(|| {
            let name = format!("operator-{}", self.clock.now().ms());
            let new = self.new_operator(&name);
            change.insert_principal(&new);
            new
        });
        let name = "made on the server's machine";
        let (key, text) = self.new_key(operator.id, name, operator_scopes());
        change.insert_key(&key, limit::LIVE_KEYS_MAX);
        let note = Note::record("setup.operator_key").about(key.id);
        change.journal(&self.own_entry(note));
        change.commit().await.map_err(|error| match error {
            DbError::Conflict(conflict::KEY_LIMIT) => {
                let most = limit::LIVE_KEYS_MAX;
                let detail = format!("The operator has {most} keys that are good; revoke some.");
                Error::new(bailee_model::ErrorKind::QuotaExceeded, detail)
            }
            other => error::from_db(other),
        })?;
        Ok(text)
    }

    fn new_operator(&self, name: &str) -> Principal {
        let now = self.clock.now();
        Principal {
            id: PrincipalId::ServiceAccount(ServiceAccountId::new(now, &*self.chance)),
            name: name.to_owned(),
            state: PrincipalState::Active,
            roles: vec![Role::Operator],
            created_at: now,
        }
    }

    /// At a first start: the tenant of this name with its administrator and key. `None` when there is one.
    pub async fn first_tenant(&self, name: &str) -> Result<Option<FirstTenant>> {
        let tenant = self.new_tenant(name);
        match self.make_tenant(tenant, "setup.tenant", None).await {
            Ok(first) => Ok(Some(first)),
            Err(error) if error.kind() == bailee_model::ErrorKind::NameTaken => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A tenant without bounds.
    pub(crate) fn new_tenant(&self, name: &str) -> Tenant {
        let now = self.clock.now();
        Tenant {
            id: TenantId::new(now, &*self.chance),
            name: name.to_owned(),
            state: TenantState::Active,
            quota_bytes: None,
            quota_files: None,
            settings: TenantSettings::default(),
            created_at: now,
        }
    }

    /// How new keys begin.
    pub fn key_env(&self) -> KeyEnv {
        self.settings.key_env
    }
}

/// What the operator's keys can do.
fn operator_scopes() -> Scopes {
    let scopes = [
        Scope::System,
        Scope::IdentityRead,
        Scope::IdentityManage,
        Scope::AuditRead,
    ];
    scopes.into_iter().collect()
}

pub(crate) fn tenant_name_taken() -> Error {
    Error::new(
        bailee_model::ErrorKind::NameTaken,
        "There is a tenant of this name.",
    )
}
