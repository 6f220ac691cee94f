use bailee_api::{ChangePgpKey, GeneratePgpKey, ImportPgpKey, PgpKey, PgpPublicKey, RefreshPgpKey};
use bailee_model::PgpKeyId;

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// OpenPGP keys: partners' public keys and the tenant's own.
    PgpKeys, pgp_keys
}

impl PgpKeys<'_> {
    /// Takes a key in that was made elsewhere.
    pub async fn import(&self, key: &ImportPgpKey) -> Result<PgpKey> {
        self.0.json(Call::post("/pgp-keys").json(key)?).await
    }

    /// Makes a key whose secret part stays on the server.
    pub async fn generate(&self, key: &GeneratePgpKey) -> Result<PgpKey> {
        self.0
            .json(Call::post("/pgp-keys/generate").json(key)?)
            .await
    }

    /// All keys, newest first.
    pub fn list(&self) -> Listing<PgpKey> {
        Listing::new(self.0, Call::get("/pgp-keys"))
    }

    /// One of them.
    pub async fn get(&self, key: PgpKeyId) -> Result<PgpKey> {
        self.0.json(Call::get(format!("/pgp-keys/{key}"))).await
    }

    /// The one with this name, if there is one.
    pub async fn by_name(&self, name: &str) -> Result<Option<PgpKey>> {
        let mut keys = self.list();
        while let Some(key) = keys.next().await? {
            if key.name == name {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// Its public part, for a partner.
    pub async fn export(&self, key: PgpKeyId) -> Result<PgpPublicKey> {
        self.0
            .json(Call::get(format!("/pgp-keys/{key}/export")))
            .await
    }

    /// Changes its name, usage or trust.
    pub async fn change(&self, key: PgpKeyId, change: &ChangePgpKey) -> Result<PgpKey> {
        let call = Call::patch(format!("/pgp-keys/{key}")).json(change)?;
        self.0.json(call).await
    }

    /// Takes in a newer form of the same key.
    pub async fn refresh(&self, key: PgpKeyId, newer: &RefreshPgpKey) -> Result<PgpKey> {
        let call = Call::post(format!("/pgp-keys/{key}/refresh")).json(newer)?;
        self.0.json(call).await
    }

    /// Removes it, with its secret part.
    pub async fn delete(&self, key: PgpKeyId) -> Result<()> {
        self.0.gone(Call::delete(format!("/pgp-keys/{key}"))).await
    }
}
