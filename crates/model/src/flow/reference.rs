//! What a document names that lies outside of it.

use std::fmt;

use super::{ContentStep, FlowDocument, FlowName, StepAction, Template, Trigger};
use crate::{FlowId, PgpKeyRef, PgpUsage, RemoteName, WebhookId};

/// Something outside of a document that the document names, and where it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The place in the document: `#/steps/0/source`.
    pub pointer: String,
    /// What is named.
    pub to: Referent,
}

/// What a document names outside of itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Referent {
    /// A remote that bytes go to or come from.
    Remote(RemoteName),
    /// A remote whose events are waited for.
    RemoteEvents(RemoteName),
    /// An OpenPGP key.
    PgpKey {
        /// Which.
        key: PgpKeyRef,
        /// What it is there for.
        usage: PgpUsage,
        /// Whether its secret part is needed.
        needs_secret: bool,
    },
    /// A webhook that is told alone.
    Webhook(WebhookId),
    /// A flow whose end is waited for.
    Flow(FlowName),
}

/// A thing that flows and schedules name, in the way in which they name it. As text it is the key of their index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A remote.
    Remote(RemoteName),
    /// An OpenPGP key.
    PgpKey(PgpKeyRef),
    /// A webhook.
    Webhook(WebhookId),
    /// A flow, whatever its name.
    Flow(FlowId),
    /// Whichever flow has this name.
    FlowCalled(FlowName),
}

impl fmt::Display for Named {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(name) => write!(out, "remote:{name}"),
            Self::PgpKey(PgpKeyRef::Id(id)) => write!(out, "pgp_key:{id}"),
            Self::PgpKey(PgpKeyRef::Name(name)) => write!(out, "pgp_key_named:{name}"),
            Self::Webhook(id) => write!(out, "webhook:{id}"),
            Self::Flow(id) => write!(out, "flow:{id}"),
            Self::FlowCalled(name) => write!(out, "flow_named:{name}"),
        }
    }
}

impl Referent {
    /// The thing that is named.
    pub fn named(&self) -> Named {
        match self {
            Self::Remote(name) | Self::RemoteEvents(name) => Named::Remote(name.clone()),
            Self::PgpKey { key, .. } => Named::PgpKey(key.clone()),
            Self::Webhook(id) => Named::Webhook(*id),
            Self::Flow(name) => Named::FlowCalled(name.clone()),
        }
    }
}

impl FlowDocument {
    /// All that the document names outside of itself. What a parameter names is known to a run alone.
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        let mut add = |pointer: String, to: Referent| found.push(Reference { pointer, to });
        for (at, trigger) in self.triggers.iter().enumerate() {
            match trigger {
                Trigger::Flow(flow) => {
                    let pointer = format!("#/triggers/{at}/flow");
                    add(pointer, Referent::Flow(flow.flow.clone()));
                }
                Trigger::Event(event) => {
                    if let Some(remote) = &event.remote {
                        let pointer = format!("#/triggers/{at}/remote");
                        add(pointer, Referent::RemoteEvents(remote.clone()));
                    }
                }
                Trigger::Watch(watch) => {
                    let pointer = format!("#/triggers/{at}/path");
                    add(pointer, Referent::Remote(watch.path.remote().clone()));
                }
                // The calendar of a time is looked at with its times.
                Trigger::Api {} | Trigger::Arrival(_) | Trigger::Schedule(_) | Trigger::Hook {} => {
                }
            }
        }
        for (at, step) in self.steps_at() {
            match &step.action {
                StepAction::Transfer(transfer) => {
                    let ends = [
                        ("source", &transfer.source),
                        ("destination", &transfer.destination),
                    ];
                    for (name, end) in ends {
                        if let Some(remote) = end.as_ref().and_then(remote_of) {
                            add(format!("{at}/{name}"), Referent::Remote(remote));
                        }
                    }
                }
                StepAction::Notify(notify) => {
                    if let Some(webhook) = notify.webhook {
                        add(format!("{at}/webhook"), Referent::Webhook(webhook));
                    }
                }
                StepAction::Content(content) => {
                    for (place, key, (usage, needs_secret)) in keys_of(content) {
                        let to = Referent::PgpKey {
                            key: key.clone(),
                            usage,
                            needs_secret,
                        };
                        add(format!("{at}/{place}"), to);
                    }
                }
                _ => {}
            }
        }
        found
    }
}

/// The remote that an end of a transfer names, unless a parameter does.
fn remote_of(end: &Template) -> Option<RemoteName> {
    let (name, _) = end.head().split_once(':')?;
    name.parse().ok().filter(|_| name != "bailee")
}

type NamedKey<'a> = (String, &'a PgpKeyRef, (PgpUsage, bool));

/// The OpenPGP keys that a step names: where, which, and what for.
fn keys_of(step: &ContentStep) -> Vec<NamedKey<'_>> {
    const PUBLIC: bool = false;
    const SECRET: bool = true;
    match step {
        ContentStep::PgpEncrypt(step) => {
            let recipients = each("recipients", &step.recipients, (PgpUsage::Encrypt, PUBLIC));
            let signer = step.sign_with.iter();
            let signer = signer.map(|key| ("sign_with".to_owned(), key, (PgpUsage::Sign, SECRET)));
            recipients.into_iter().chain(signer).collect()
        }
        ContentStep::PgpDecrypt(step) => {
            let mut keys = each("keys", &step.keys, (PgpUsage::Encrypt, SECRET));
            keys.extend(each("signers", &step.signers, (PgpUsage::Sign, PUBLIC)));
            keys
        }
        ContentStep::PgpSign(step) => {
            vec![("key".to_owned(), &step.key, (PgpUsage::Sign, SECRET))]
        }
        ContentStep::PgpVerify(step) => each("signers", &step.signers, (PgpUsage::Sign, PUBLIC)),
        ContentStep::Compress(_)
        | ContentStep::Extract(_)
        | ContentStep::Validate(_)
        | ContentStep::Checksum(_) => Vec::new(),
    }
}

fn each<'a>(name: &str, keys: &'a [PgpKeyRef], order: (PgpUsage, bool)) -> Vec<NamedKey<'a>> {
    let keys = keys.iter().enumerate();
    keys.map(|(at, key)| (format!("{name}/{at}"), key, order))
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn what_lies_outside_is_named_with_its_place() {
        let document = FlowDocument::parse(&json!({
            "name": "relay", "params": {"bank": {"default": "bank"}},
            "triggers": [{"kind": "flow", "flow": "before"}, {"kind": "event", "types": ["transfer.*"], "remote": "lake"}],
            "steps": [
                {"id": "a", "kind": "transfer", "source": "bank:/out/*.csv", "destination": "/in/"},
                {"id": "b", "kind": "transfer", "source": "${params.bank}:/x", "destination": ":/in/"},
                {"id": "c", "kind": "for_each", "steps": [
                    {"id": "d", "kind": "pgp_decrypt", "keys": ["own"], "signers": ["theirs"]},
                    {"id": "e", "kind": "pgp_encrypt", "recipients": ["theirs"], "sign_with": "own"},
                ]},
            ],
        }))
        .unwrap();
        let found: Vec<String> = document
            .references()
            .iter()
            .map(|reference| match &reference.to {
                Referent::Remote(name) | Referent::RemoteEvents(name) => {
                    format!("{} {name}", reference.pointer)
                }
                Referent::PgpKey {
                    key, needs_secret, ..
                } => format!("{} {key} {needs_secret}", reference.pointer),
                Referent::Webhook(id) => format!("{} {id}", reference.pointer),
                Referent::Flow(name) => format!("{} {name}", reference.pointer),
            })
            .collect();
        assert_eq!(
            found,
            [
                "#/triggers/0/flow before",
                "#/triggers/1/remote lake",
                "#/steps/0/source bank",
                "#/steps/2/steps/0/keys/0 own true",
                "#/steps/2/steps/0/signers/0 theirs false",
                "#/steps/2/steps/1/recipients/0 theirs false",
                "#/steps/2/steps/1/sign_with own true",
            ]
        );
    }
}
