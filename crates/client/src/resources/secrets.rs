use bailee_api::{CreateSecret, Secret};
use bailee_model::SecretId;

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// Secrets that remotes refer to.
    Secrets, secrets
}

impl Secrets<'_> {
    /// Keeps a secret, or a reference to one.
    pub async fn create(&self, secret: &CreateSecret) -> Result<Secret> {
        self.0.json(Call::post("/secrets").json(secret)?).await
    }

    /// All secrets, newest first, without their values.
    pub fn list(&self) -> Listing<Secret> {
        Listing::new(self.0, Call::get("/secrets"))
    }

    /// One of them.
    pub async fn get(&self, secret: SecretId) -> Result<Secret> {
        self.0.json(Call::get(format!("/secrets/{secret}"))).await
    }

    /// The one with this name, if there is one.
    pub async fn by_name(&self, name: &str) -> Result<Option<Secret>> {
        let mut secrets = self.list();
        while let Some(secret) = secrets.next().await? {
            if secret.name == name {
                return Ok(Some(secret));
            }
        }
        Ok(None)
    }

    /// Puts another value or reference in its place.
    pub async fn replace(&self, secret: SecretId, new: &CreateSecret) -> Result<Secret> {
        let call = Call::put(format!("/secrets/{secret}")).json(new)?;
        self.0.json(call).await
    }

    /// Removes it, unless a remote refers to it.
    pub async fn delete(&self, secret: SecretId) -> Result<()> {
        self.0
            .gone(Call::delete(format!("/secrets/{secret}")))
            .await
    }
}
