//! The door of flows for callers who have no key but a flow's secret.
//!
//! A call is signed as Standard Webhooks are. Whoever has no secret learns nothing: a flow that is not there, one that takes
//! no calls and a wrong signature are refused alike. What a call brings is told to the run as facts, and is never read as
//! anything else.

use std::time::Duration;

use bailee_auth::{Action, Caller, Facts, Via};
use bailee_model::flow::{HookSecrets, Trigger};
use bailee_model::{
    Error, ErrorKind, EventType, Flow, FlowDocument, FlowId, FlowRun, FlowRunId, Outcome, Result,
    limit,
};
use bailee_store::{DbError, FoundHook, conflict};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::{Flows, TriggeredRun};
use crate::files::RACES_MAX;
use crate::idempotency::{made_secret, not_shown_before};
use crate::journal::Note;
use crate::signature::{grace, is_signed};
use crate::{Core, SYSTEM_TENANT, error};

/// Against what a call of a flow without a secret is compared.
const NO_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Calls of flows by their secrets.
pub struct FlowHooks<'a> {
    pub(crate) core: &'a Core,
}

/// A call as it came.
#[derive(Clone, Copy, Debug)]
pub struct HookCall<'a> {
    /// Names the call: `webhook-id`.
    pub id: &'a str,
    /// When it was made, in seconds since 1970: `webhook-timestamp`.
    pub timestamp: &'a str,
    /// `webhook-signature`.
    pub signatures: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// A call that is proven.
pub struct SignedCall {
    found: FoundHook,
    id: String,
}

/// Why a call was refused, and in whose journal that belongs: see [`FlowHooks::journal_refusal`].
pub struct HookRefusal {
    flow: FlowId,
    found: Option<FoundHook>,
    reason: &'static str,
}

impl Flows<'_> {
    /// Gives a flow a new secret for its calls; the one before counts beside it for `grace`. It is shown once.
    pub async fn rotate_secret(
        &self,
        caller: &Caller,
        id: FlowId,
        wish: Option<Duration>,
    ) -> Result<(Flow, SecretString)> {
        not_shown_before(caller)?;
        let grace = grace(wish)?;
        for _ in 0..RACES_MAX {
            let permit = self
                .enter(caller, "flows.rotate_secret", Action::FlowManage)
                .await?;
            let flow = self.find(caller, &permit, id).await?;
            if !takes_calls(&flow) {
                let detail = "The flow has no trigger of kind `hook`.";
                return Err(Error::new(ErrorKind::StateConflict, detail));
            }
            let known = self.core.tenant(permit.tenant()).await?;
            let (secret, sealed) = self.core.new_secret(id, &known)?;
            let reader = self.core.store.reader(&permit);
            let secrets = reader.hook_secrets(id).await.map_err(error::from_db)?;
            let mut secrets = secrets.unwrap_or_default();
            secrets.rotate(sealed, self.core.clock.now().plus(grace));
            let mut change = self.core.store.change(&permit);
            change.hold_flow(&flow).put_hook_secrets(id, &secrets);
            made_secret(&mut change, id)?;
            let note = Note::record("flows.rotate_secret").about(id);
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok((flow, secret)),
                Err(DbError::Conflict(conflict::FLOW_HOOK | conflict::FLOW_REVISION)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("flow"))
    }
}

impl FlowHooks<'_> {
    /// Whether a call was made by somebody who has the flow's secret. Journals no refusal: the door counts refusals
    /// first, so that nobody can fill the journal with them.
    pub async fn check(
        &self,
        flow: FlowId,
        call: HookCall<'_>,
        facts: &Facts,
    ) -> Result<std::result::Result<SignedCall, HookRefusal>> {
        let found = self.core.store.identity().find_hook(flow).await;
        let found = found.map_err(error::from_db)?;
        let found = found.filter(|found| takes_calls(&found.flow));
        let refused = |found, reason| {
            Ok(Err(HookRefusal {
                flow,
                found,
                reason,
            }))
        };
        let Some(at) = call.timestamp.parse::<i64>().ok() else {
            return refused(found, "timestamp");
        };
        let is_named = (1..=limit::IDEMPOTENCY_KEY_MAX).contains(&call.id.len())
            && call.id.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_named {
            return refused(found, "id");
        }
        let signed = (call.id, at, call.body);
        let Some(found) = found else {
            // It costs a comparison too.
            is_signed(NO_SECRET, signed, call.signatures);
            return refused(None, "unknown");
        };
        if !self
            .has_signed(&found, signed, (call.signatures, facts))
            .await?
        {
            return refused(Some(found), "signature");
        }
        if at.abs_diff(facts.now.seconds()) > limit::FLOW_HOOK_SKEW.as_secs() {
            return refused(Some(found), "timestamp");
        }
        let id = call.id.to_owned();
        Ok(Ok(SignedCall { found, id }))
    }

    async fn has_signed(
        &self,
        found: &FoundHook,
        signed: (&str, i64, &[u8]),
        (signatures, facts): (&str, &Facts),
    ) -> Result<bool> {
        let known = self.core.tenant(found.tenant.id).await?;
        let context = found.flow.id.to_string();
        let secrets: &HookSecrets = &found.secrets;
        let mut has_signed = false;
        for sealed in secrets.live(facts.now) {
            let secret = known.key.open_secret(sealed, &context);
            let secret = secret.map_err(error::from_key)?;
            let secret = zeroize::Zeroizing::new(String::from_utf8_lossy(&secret).into_owned());
            has_signed |= is_signed(&secret, signed, signatures);
        }
        Ok(has_signed)
    }

    /// Journals a refusal and returns what the caller is told: the same whatever the reason.
    pub async fn journal_refusal(&self, refusal: HookRefusal, facts: &Facts) -> Result<Error> {
        let note = Note::event("flows.hook", EventType::AuthFailed)
            .about(refusal.flow)
            .ended(Outcome::Denied)
            .with(json!({ "reason": refusal.reason, "flow_id": refusal.flow }));
        let mut entry = self.core.own_entry(note);
        entry.ip_address = facts.address.map(|address| address.to_canonical());
        entry.request = Some(facts.request);
        "anonymous".clone_into(&mut entry.user);
        let tenant = refusal.found.map_or(SYSTEM_TENANT, |found| found.tenant.id);
        let mut change = self.core.store.identity().change(tenant);
        change.journal(&entry);
        change.commit().await.map_err(error::from_db)?;
        let detail = "No flow takes this call: its id, its secret or its time does not fit.";
        Err(Error::new(ErrorKind::SignatureInvalid, detail))
    }

    /// Starts the run of a call, once: told of the same call again, it answers with the same run, and says so.
    pub async fn start(
        &self,
        call: SignedCall,
        body: Value,
        facts: Facts,
    ) -> Result<(FlowRun, bool)> {
        let SignedCall { found, id } = call;
        let (tenant, flow) = (found.tenant.id, &found.flow);
        let via = Via::Flow {
            run: FlowRunId::from_bits(flow.id.bits()),
            key: flow.mandate.key,
        };
        self.core
            .by_mandate(tenant, &flow.mandate, facts, via)
            .await?;
        let key = format!("hook:{id}");
        let reader = self.core.store.queue().reader(tenant);
        let known = reader.flow_run_for(flow.id, &key).await;
        if let Some(known) = known.map_err(error::from_db)? {
            return again(known, &body);
        }
        let told = [("webhook_id", json!(id)), ("body", body)];
        let mut facts: Map<String, Value> = Map::new();
        facts.extend(told.map(|(name, value)| (name.to_owned(), value)));
        let trigger = TriggeredRun {
            kind: "hook",
            key,
            facts,
            ..TriggeredRun::default()
        };
        let flows = self.core.flows();
        match flows.start_by_trigger(tenant, flow.id, trigger).await? {
            Some(run) => Ok((run, false)),
            None => Err(Error::new(
                ErrorKind::StateConflict,
                "The flow is switched off, or takes no other run now.",
            )),
        }
    }
}

/// The run that a call made before.
fn again(run: FlowRun, body: &Value) -> Result<(FlowRun, bool)> {
    if run.trigger.facts.get("body") == Some(body) {
        return Ok((run, true));
    }
    let detail = "A call of this `webhook-id` was made before, with another body.";
    Err(Error::new(ErrorKind::IdempotencyKeyReused, detail))
}

fn takes_calls(flow: &Flow) -> bool {
    let document = FlowDocument::parse(&flow.document);
    let is_hook = |trigger: &Trigger| matches!(trigger, Trigger::Hook {});
    document.is_ok_and(|document| document.triggers.iter().any(is_hook))
}
