//! How flows hang together: which start when others end.

use std::collections::{BTreeMap, BTreeSet};

use bailee_auth::Permit;
use bailee_model::flow::{FlowName, Trigger};
use bailee_model::{Error, Flow, FlowDocument, FlowId, PageRequest, Result, limit};

use super::Flows;
use crate::error;

/// Whether a flow has to be told of entries of the journal.
pub(super) fn listens(flow: &Flow, document: &FlowDocument) -> bool {
    let is_told = |trigger: &Trigger| {
        matches!(
            trigger,
            Trigger::Arrival(_) | Trigger::Event(_) | Trigger::Flow(_)
        )
    };
    flow.is_enabled && document.triggers.iter().any(is_told)
}

fn waits_for(document: &FlowDocument) -> Vec<(usize, &FlowName)> {
    let triggers = document.triggers.iter().enumerate();
    let flows = triggers.filter_map(|(at, trigger)| match trigger {
        Trigger::Flow(trigger) => Some((at, &trigger.flow)),
        _ => None,
    });
    flows.collect()
}

impl Flows<'_> {
    /// Refuses a document that waits for the end of a flow that is not there, or in the end for its own.
    pub(super) async fn check_links(
        &self,
        permit: &Permit,
        document: &FlowDocument,
        own: Option<FlowId>,
    ) -> Result<()> {
        let waits = waits_for(document);
        if waits.is_empty() {
            return Ok(());
        }
        let known = self.graph(permit, own).await?;
        for (at, name) in waits {
            let pointer = format!("#/triggers/{at}/flow");
            if !known.contains_key(name) {
                let detail = format!("There is no flow `{name}`.");
                return Err(Error::field(&pointer, "unknown_flow", detail));
            }
            if reaches(&known, name, &document.name) {
                let detail = format!(
                    "`{name}` starts when `{}` ends: neither would ever rest.",
                    document.name
                );
                return Err(Error::field(&pointer, "cycle", detail));
            }
        }
        Ok(())
    }

    /// For each flow but `own` the flows for whose end it waits.
    async fn graph(
        &self,
        permit: &Permit,
        own: Option<FlowId>,
    ) -> Result<BTreeMap<FlowName, Vec<FlowName>>> {
        let reader = self.core.store.reader(permit);
        let mut graph = BTreeMap::new();
        let mut page = PageRequest {
            limit: limit::PAGE_MAX,
            after: None,
        };
        loop {
            let found = reader.flows(&page).await.map_err(error::from_db)?;
            for flow in found.data.into_iter().filter(|flow| Some(flow.id) != own) {
                let document = FlowDocument::parse(&flow.document);
                let waits = document.map(|document| {
                    let waits = waits_for(&document).into_iter();
                    waits.map(|(_, name)| name.clone()).collect()
                });
                graph.insert(flow.name, waits.unwrap_or_default());
            }
            page.after = found.next;
            if page.after.is_none() {
                return Ok(graph);
            }
        }
    }
}

/// Whether `from` waits, over however many flows, for the end of `to`.
fn reaches(graph: &BTreeMap<FlowName, Vec<FlowName>>, from: &FlowName, to: &FlowName) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            open.extend(graph.get(name).into_iter().flatten());
        }
    }
    false
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn a_circle_is_found_however_long() {
        let name = |text: &str| text.parse::<FlowName>().unwrap();
        let graph = BTreeMap::from([
            (name("b"), vec![name("a")]),
            (name("c"), vec![name("b"), name("x")]),
            (name("x"), vec![]),
        ]);
        assert!(reaches(&graph, &name("c"), &name("a")));
        assert!(!reaches(&graph, &name("x"), &name("a")));
    }
}
