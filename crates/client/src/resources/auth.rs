use bailee_api::Identity;

use super::resource;
use crate::Result;
use crate::call::Call;

resource! {
    /// Who the caller is.
    Auth, auth
}

impl Auth<'_> {
    /// Whether the credential is good, and whose it is.
    pub async fn validate(&self) -> Result<Identity> {
        self.0.json(Call::get("/auth/validate")).await
    }
}
