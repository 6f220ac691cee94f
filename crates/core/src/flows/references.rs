//! What documents name outside of themselves must be there, and be for their owner to use.

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::flow::{Reference, Referent};
use bailee_model::{FieldError, FlowDocument, RemoteName, Result, WebhookId};

use super::Flows;
use crate::error;
use crate::pgp_keys::PgpUseError;

/// Why something cannot be named: a code and a sentence.
type Why = (&'static str, String);

impl Flows<'_> {
    /// Refuses a document that names what is not there, or what the caller may not use: it will act in their name. To
    /// them, both are the same.
    pub(super) async fn check_references(
        &self,
        caller: &Caller,
        permit: &Permit,
        document: &FlowDocument,
    ) -> Result<()> {
        let mut problems = Vec::new();
        for Reference { pointer, to } in document.references() {
            let why = match &to {
                Referent::Remote(name) => {
                    self.why_no_remote(caller, permit, (name, Action::RemoteUse))
                        .await?
                }
                Referent::RemoteEvents(name) => {
                    self.why_no_remote(caller, permit, (name, Action::RemoteRead))
                        .await?
                }
                Referent::PgpKey {
                    key,
                    usage,
                    needs_secret,
                } => {
                    let keys = self.core.pgp_keys();
                    let wanted = (*usage, *needs_secret);
                    match keys.usable((caller, permit), key, wanted).await {
                        Ok(()) => None,
                        Err(PgpUseError::Refused(why)) => Some((why.code, why.detail)),
                        Err(PgpUseError::Failed(error)) => return Err(error),
                    }
                }
                Referent::Webhook(id) => self.why_no_webhook(caller, permit, *id).await?,
                // Looked at with the circles that they may make.
                Referent::Flow(_) => None,
            };
            problems.extend(why.map(|(code, detail)| FieldError {
                pointer,
                code,
                detail,
            }));
        }
        FlowDocument::refused(problems)
    }

    async fn why_no_remote(
        &self,
        caller: &Caller,
        permit: &Permit,
        (name, action): (&RemoteName, Action),
    ) -> Result<Option<Why>> {
        let resource = Resource::Remote { name: name.clone() };
        let reader = self.core.store.reader(permit);
        let found = reader.remote_named(name).await.map_err(error::from_db)?;
        let is_there = found.is_some() && self.core.admits(caller, action, &resource);
        let why = || {
            let detail = format!("There is no remote `{name}` that you may use.");
            ("unknown_remote", detail)
        };
        Ok((!is_there).then(why))
    }

    async fn why_no_webhook(
        &self,
        caller: &Caller,
        permit: &Permit,
        id: WebhookId,
    ) -> Result<Option<Why>> {
        let reader = self.core.store.reader(permit);
        let found = reader.webhook(id).await.map_err(error::from_db)?;
        let is_there = found.is_some_and(|webhook| crate::webhooks::is_shown(caller, &webhook))
            && self
                .core
                .admits(caller, Action::WebhookManage, &Resource::Webhook);
        let why = || {
            let detail = format!("There is no webhook `{id}` that you may use.");
            ("unknown_webhook", detail)
        };
        Ok((!is_there).then(why))
    }
}
