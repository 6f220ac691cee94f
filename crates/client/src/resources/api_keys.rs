use bailee_api::{ApiKey, ChangeApiKey, CreateApiKey, RotateApiKey};
use bailee_model::KeyId;

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// API keys: credentials of programs.
    ApiKeys, api_keys
}

impl ApiKeys<'_> {
    /// Makes a key. The answer, and no later one, holds its text.
    pub async fn create(&self, key: &CreateApiKey) -> Result<ApiKey> {
        self.0.json(Call::post("/api-keys").json(key)?).await
    }

    /// All keys that the caller may see, newest first.
    pub fn list(&self) -> Listing<ApiKey> {
        Listing::new(self.0, Call::get("/api-keys"))
    }

    /// One of them.
    pub async fn get(&self, key: KeyId) -> Result<ApiKey> {
        self.0.json(Call::get(format!("/api-keys/{key}"))).await
    }

    /// Changes name, bounds or expiry.
    pub async fn change(&self, key: KeyId, change: &ChangeApiKey) -> Result<ApiKey> {
        let call = Call::patch(format!("/api-keys/{key}")).json(change)?;
        self.0.json(call).await
    }

    /// Makes a second secret; the old one is good for `grace_seconds` more.
    pub async fn rotate(&self, key: KeyId, rotate: &RotateApiKey) -> Result<ApiKey> {
        let call = Call::post(format!("/api-keys/{key}/rotate")).json(rotate)?;
        self.0.json(call).await
    }

    /// Ends a key for ever.
    pub async fn revoke(&self, key: KeyId) -> Result<()> {
        self.0.gone(Call::delete(format!("/api-keys/{key}"))).await
    }
}
