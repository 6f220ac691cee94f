use bailee_api::{ChangePrincipal, CreatePrincipal, ServiceAccount, User};
use bailee_model::{ServiceAccountId, UserId};

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// Users: persons who may act.
    Users, users
}

resource! {
    /// Service accounts: programs that may act.
    ServiceAccounts, service_accounts
}

macro_rules! verbs {
    ($name:ident, $object:ty, $id:ty, $path:literal) => {
        impl $name<'_> {
            /// Makes one.
            pub async fn create(&self, principal: &CreatePrincipal) -> Result<$object> {
                self.0.json(Call::post($path).json(principal)?).await
            }

            /// All, newest first.
            pub fn list(&self) -> Listing<$object> {
                Listing::new(self.0, Call::get($path))
            }

            /// One of them.
            pub async fn get(&self, id: $id) -> Result<$object> {
                self.0.json(Call::get(format!("{}/{id}", $path))).await
            }

            /// Changes name, roles or state.
            pub async fn change(&self, id: $id, change: &ChangePrincipal) -> Result<$object> {
                let call = Call::patch(format!("{}/{id}", $path)).json(change)?;
                self.0.json(call).await
            }

            /// Removes it; its keys end with it.
            pub async fn delete(&self, id: $id) -> Result<()> {
                self.0.gone(Call::delete(format!("{}/{id}", $path))).await
            }
        }
    };
}

verbs!(Users, User, UserId, "/users");
verbs!(
    ServiceAccounts,
    ServiceAccount,
    ServiceAccountId,
    "/service-accounts"
);
