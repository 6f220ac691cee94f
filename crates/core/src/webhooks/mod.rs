//! Webhooks: receivers that a tenant registered.

mod example;
mod recover;
mod rules;
mod stats;

use std::time::Duration;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::flow::Named;
use bailee_model::{
    AuditId, Delivery, DeliveryId, Error, EventId, EventType, FolderPath, Page, PageRequest,
    Result, Webhook, WebhookFormat, WebhookId, WebhookLimits, WebhookOrdering, WebhookPayload,
    WebhookSigner, WebhookState, limit,
};
use bailee_store::{DbError, conflict};
use secrecy::SecretString;

pub use self::example::example_event;
pub use self::rules::EventBounds;
use self::rules::{check_limits, check_tag, check_types, check_url, without_secrets};
pub use self::stats::DeliveryStats;
use crate::deliveries::signer_context;
use crate::events::body_of;
use crate::files::{Precondition, RACES_MAX};
use crate::gate::Ask;
use crate::idempotency::{earlier, made, made_secret, not_shown_before};
use crate::journal::Note;
use crate::keyring::Known;
use crate::{Core, error, signature};

/// What a millisecond is in the bits of an id.
const ID_CLOCK: u128 = 1 << 80;

/// The operation that shows a secret of a webhook that is there.
const ROTATE: &str = "webhooks.rotate_secret";

/// The webhooks of the caller's tenant.
pub struct Webhooks<'a> {
    pub(crate) core: &'a Core,
}

/// A webhook to be made.
#[derive(Clone, Debug, Default)]
pub struct NewWebhook {
    /// Where events go.
    pub url: String,
    /// Exact types, `transfer.*` or `*`.
    pub types: Vec<String>,
    /// Which events of these types.
    pub filters: EventBounds,
    /// How much of the object a body carries.
    pub payload: WebhookPayload,
    /// The shape of bodies.
    pub format: WebhookFormat,
    /// What is promised about the order.
    pub ordering: WebhookOrdering,
    /// Whether the guide's `X-Signature` goes along.
    pub body_hmac: bool,
    /// Whether a signature goes along that a public key verifies.
    pub ed25519: bool,
    /// How hard the receiver may be pressed.
    pub limits: WebhookLimits,
}

/// What changes of a webhook.
#[derive(Clone, Debug, Default)]
pub struct WebhookChange {
    /// A new address.
    pub url: Option<String>,
    /// New types.
    pub types: Option<Vec<String>>,
    /// New bounds, all of them.
    pub filters: Option<EventBounds>,
    /// Another measure of what a body carries.
    pub payload: Option<WebhookPayload>,
    /// Another shape of bodies.
    pub format: Option<WebhookFormat>,
    /// Another promise about the order.
    pub ordering: Option<WebhookOrdering>,
    /// Whether a signature goes along that a public key verifies.
    pub ed25519: Option<bool>,
    /// New limits, all of them.
    pub limits: Option<WebhookLimits>,
    /// Whether `X-Signature` goes along.
    pub body_hmac: Option<bool>,
    /// Whether it gets events.
    pub enabled: Option<bool>,
}

impl Webhooks<'_> {
    /// Registers a receiver. The secret is shown once.
    pub async fn create(
        &self,
        caller: &Caller,
        new: NewWebhook,
    ) -> Result<(Webhook, SecretString)> {
        not_shown_before(caller)?;
        let permit = self.enter(caller, "webhooks.create").await?;
        check_url(&new.url, self.core.settings.plain_http_receivers)?;
        check_types(&new.types)?;
        within_reach(caller, new.filters.path_prefix.as_ref())?;
        check_tag(new.filters.tag.as_deref())?;
        check_limits(new.limits)?;
        let known = self.core.tenant(permit.tenant()).await?;
        let now = self.core.clock.now();
        let id = WebhookId::new(now, &*self.core.chance);
        let (secret, sealed) = self.core.new_secret(id, &known)?;
        let webhook = Webhook {
            id,
            url: new.url,
            types: new.types,
            path_prefix: new.filters.path_prefix,
            remote: new.filters.remote,
            tag: new.filters.tag,
            payload: new.payload,
            format: new.format,
            ordering: new.ordering,
            limits: new.limits,
            signer: if new.ed25519 {
                Some(self.new_signer(id, &known)?)
            } else {
                None
            },
            recovery: None,
            body_hmac: new.body_hmac,
            state: WebhookState::Enabled,
            disabled_reason: None,
            sealed_secrets: vec![(sealed, None)],
            failing_since: None,
            created_at: now,
            revision: 1,
        };
        let mut change = self.core.store.change(&permit);
        change.insert_webhook(&webhook, limit::WEBHOOKS_MAX);
        made_secret(&mut change, id)?;
        let note = Note::record("webhooks.create")
            .about(id)
            .with(serde_json::json!({ "types": webhook.types }));
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(|error| match error {
            DbError::Conflict(conflict::WEBHOOK_LIMIT) => {
                error::enough("A tenant", limit::WEBHOOKS_MAX, "webhooks")
            }
            other => error::from_db(other),
        })?;
        Ok((webhook, secret))
    }

    /// Webhooks, newest first. A key that is bound to paths sees those that are bound within them.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<Webhook>> {
        let permit = self.enter(caller, "webhooks.list").await?;
        let found = self.core.store.reader(&permit).webhooks(&page).await;
        let mut found = found.map_err(error::from_db)?;
        found.data.retain(|webhook| is_shown(caller, webhook));
        Ok(found)
    }

    /// One webhook.
    pub async fn get(&self, caller: &Caller, id: WebhookId) -> Result<Webhook> {
        let permit = self.enter(caller, "webhooks.get").await?;
        self.find(caller, &permit, id).await
    }

    /// Changes a webhook.
    pub async fn update(
        &self,
        caller: &Caller,
        id: WebhookId,
        change: WebhookChange,
        precondition: Precondition,
    ) -> Result<Webhook> {
        change.url.as_deref().map_or(Ok(()), |url| {
            check_url(url, self.core.settings.plain_http_receivers)
        })?;
        change.types.as_deref().map_or(Ok(()), check_types)?;
        if let Some(filters) = &change.filters {
            within_reach(caller, filters.path_prefix.as_ref())?;
            check_tag(filters.tag.as_deref())?;
        }
        check_limits(change.limits.unwrap_or_default())?;
        let signer = if change.ed25519 == Some(true) {
            let known = self.core.tenant(caller.tenant()).await?;
            Some(self.new_signer(id, &known)?)
        } else {
            None
        };
        self.write(caller, id, ("webhooks.update", &precondition), |webhook| {
            if let Some(url) = &change.url {
                webhook.url.clone_from(url);
            }
            if let Some(types) = &change.types {
                webhook.types.clone_from(types);
            }
            if let Some(filters) = &change.filters {
                webhook.path_prefix.clone_from(&filters.path_prefix);
                webhook.remote.clone_from(&filters.remote);
                webhook.tag.clone_from(&filters.tag);
            }
            webhook.payload = change.payload.unwrap_or(webhook.payload);
            webhook.format = change.format.unwrap_or(webhook.format);
            webhook.ordering = change.ordering.unwrap_or(webhook.ordering);
            webhook.limits = change.limits.unwrap_or(webhook.limits);
            match change.ed25519 {
                // A key that receivers know stays.
                Some(true) if webhook.signer.is_none() => webhook.signer.clone_from(&signer),
                Some(false) => webhook.signer = None,
                _ => {}
            }
            webhook.body_hmac = change.body_hmac.unwrap_or(webhook.body_hmac);
            if let Some(enabled) = change.enabled {
                switch(webhook, enabled);
            }
            Ok(())
        })
        .await
    }

    /// Switches a webhook on again.
    pub async fn enable(&self, caller: &Caller, id: WebhookId) -> Result<Webhook> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        self.write(
            caller,
            id,
            ("webhooks.enable", &Precondition::Unasked),
            |webhook| {
                switch(webhook, true);
                Ok(())
            },
        )
        .await
    }

    /// Gives a webhook a new secret; the old one signs along for `grace`.
    pub async fn rotate(
        &self,
        caller: &Caller,
        id: WebhookId,
        grace: Option<Duration>,
    ) -> Result<(Webhook, SecretString)> {
        not_shown_before(caller)?;
        let grace = signature::grace(grace)?;
        let permit = self.enter(caller, ROTATE).await?;
        self.find(caller, &permit, id).await?;
        let known = self.core.tenant(permit.tenant()).await?;
        let (secret, sealed) = self.core.new_secret(id, &known)?;
        let until = self.core.clock.now().plus(grace);
        let webhook = self
            .write(caller, id, (ROTATE, &Precondition::Unasked), |webhook| {
                let old = webhook
                    .sealed_secrets
                    .first()
                    .map(|(old, _)| (old.clone(), Some(until)));
                webhook.sealed_secrets =
                    std::iter::once((sealed.clone(), None)).chain(old).collect();
                Ok(())
            })
            .await?;
        Ok((webhook, secret))
    }

    /// Removes a webhook and what is still to be sent to it.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: WebhookId,
        precondition: Precondition,
    ) -> Result<()> {
        for _ in 0..RACES_MAX {
            let permit = self.enter(caller, "webhooks.delete").await?;
            let webhook = self.find(caller, &permit, id).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&webhook.revision.to_string()), &known.tenant)?;
            let mut change = self.core.store.change(&permit);
            let named = Named::Webhook(id);
            let names = [&named, &named];
            let reader = self.core.store.reader(&permit);
            self.core.refuse_while_named(caller, &reader, names).await?;
            change.delete_webhook(&webhook).admit_removal(names);
            let note = Note::record("webhooks.delete").about(id);
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(conflict::WEBHOOK_REVISION | conflict::REFERENCE_IN_USE)) => {
                }
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("webhook"))
    }

    /// Sends an example event of a type, whether the webhook wants that type or not.
    pub async fn test(&self, caller: &Caller, id: WebhookId, kind: EventType) -> Result<Delivery> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self.enter(caller, "webhooks.test").await?;
        let webhook = self.find(caller, &permit, id).await?;
        let now = self.core.clock.now();
        let event = AuditId::new(now, &*self.core.chance);
        let event = EventId::from_bits(event.bits());
        let mut body = example_event(permit.tenant(), kind);
        if let Some(top) = body.as_object_mut() {
            top.insert("event_id".to_owned(), serde_json::json!(event));
            top.insert("timestamp".to_owned(), serde_json::json!(now));
            top.insert("webhook_id".to_owned(), serde_json::json!(webhook.id));
            if let Some(data) = top.get_mut("data").and_then(|data| data.as_object_mut()) {
                data.insert("test".to_owned(), true.into());
                data.insert("webhook_id".to_owned(), serde_json::json!(webhook.id));
            }
        }
        let new = DeliveryId::new(now, &*self.core.chance);
        let delivery = Delivery {
            event,
            event_type: kind,
            body: body_of(webhook.format, body).to_string(),
            ..Delivery::scheduled(new, &webhook, now)
        };
        let mut change = self.core.store.change(&permit);
        self.core.schedule(&mut change, &delivery);
        made(&mut change, &delivery)?;
        change.journal(&self.core.permitted(
            caller,
            &permit,
            Note::record("webhooks.test").about(id),
        ));
        change.commit().await.map_err(error::from_db)?;
        Ok(delivery)
    }

    async fn enter(&self, caller: &Caller, operation: &'static str) -> Result<Permit> {
        let ask = Ask {
            operation,
            action: Action::WebhookManage,
            resource: &Resource::Webhook,
            what: "webhook",
        };
        self.core.enter(caller, ask).await
    }

    async fn find(&self, caller: &Caller, permit: &Permit, id: WebhookId) -> Result<Webhook> {
        let found = self
            .core
            .store
            .reader(permit)
            .webhook(id)
            .await
            .map_err(error::from_db)?;
        found
            .filter(|webhook| is_shown(caller, webhook))
            .ok_or_else(|| Error::not_found("webhook"))
    }

    async fn write(
        &self,
        caller: &Caller,
        id: WebhookId,
        (operation, precondition): (&'static str, &Precondition),
        act: impl Fn(&mut Webhook) -> Result<()>,
    ) -> Result<Webhook> {
        for _ in 0..RACES_MAX {
            let permit = self.enter(caller, operation).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            let mut webhook = self.find(caller, &permit, id).await?;
            precondition.admit(Some(&webhook.revision.to_string()), &known.tenant)?;
            act(&mut webhook)?;
            webhook.revision += 1;
            let mut change = self.core.store.change(&permit);
            change.put_webhook(&webhook);
            if operation == ROTATE {
                made_secret(&mut change, id)?;
            } else {
                made(&mut change, &without_secrets(&webhook))?;
            }
            change.journal(&self.core.permitted(
                caller,
                &permit,
                Note::record(operation).about(id),
            ));
            match change.commit().await {
                Ok(()) => return Ok(webhook),
                Err(DbError::Conflict(conflict::WEBHOOK_REVISION)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("webhook"))
    }

    fn new_signer(&self, id: WebhookId, known: &Known) -> Result<WebhookSigner> {
        let mut seed = zeroize::Zeroizing::new([0_u8; signature::SECRET_BYTES]);
        self.core.chance.fill(seed.as_mut_slice());
        let public_key = signature::public_key(seed.as_slice())
            .ok_or_else(|| Error::internal("a seed makes no key"))?;
        let context = signer_context(id);
        let sealed = known
            .key
            .seal_secret(seed.as_slice(), &context, &*self.core.chance);
        Ok(WebhookSigner {
            sealed_seed: sealed.map_err(error::from_key)?,
            public_key,
        })
    }
}

/// Whether a caller may know of a webhook: a key that is bound to paths sees those that are bound within them.
pub(crate) fn is_shown(caller: &Caller, webhook: &Webhook) -> bool {
    within_reach(caller, webhook.path_prefix.as_ref()).is_ok()
}

/// A webhook tells of everything below its path: a key that is bound to paths can only make one that is bound within
/// them.
fn within_reach(caller: &Caller, prefix: Option<&FolderPath>) -> Result<()> {
    let bounds = caller.path_prefixes();
    let is_within = prefix.is_some_and(|prefix| bounds.iter().any(|bound| prefix.is_within(bound)));
    if bounds.is_empty() || is_within {
        return Ok(());
    }
    Err(Error::field(
        "#/path_prefix",
        "wider",
        "Must be a folder within those of your credential.",
    ))
}

fn switch(webhook: &mut Webhook, enabled: bool) {
    webhook.state = if enabled {
        WebhookState::Enabled
    } else {
        WebhookState::Disabled
    };
    webhook.disabled_reason = (!enabled).then(|| "Switched off by an administrator.".to_owned());
    webhook.failing_since = None;
}
