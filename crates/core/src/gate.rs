//! The one gate: a caller becomes a permit here or nowhere.

use bailee_auth::{Action, Caller, Denied, Permit, Reason, Resource};
use bailee_model::{Error, ErrorKind, EventType, Outcome, Result};

use crate::journal::Note;
use crate::{Core, error};

/// What a caller asks for.
pub(crate) struct Ask<'a> {
    /// The operation, for the journal, where the caller's request is none of the API.
    pub(crate) operation: &'static str,
    /// What it does.
    pub(crate) action: Action,
    /// On what.
    pub(crate) resource: &'a Resource,
    /// What a caller is told who may not know that the thing is there: `file`, `folder`, …
    pub(crate) what: &'static str,
}

impl Core {
    /// Asks policy. A refusal is journalled before it is told, and looks like absence where the caller may not know
    /// that the thing is there.
    pub(crate) async fn enter(&self, caller: &Caller, ask: Ask<'_>) -> Result<Permit> {
        match self
            .policies
            .decide(caller, ask.action, ask.resource, &*self.chance)
        {
            Ok(permit) => Ok(permit),
            Err(denied) => Err(self.refuse(caller, &ask, denied).await?),
        }
    }

    /// Asks policy without a journal entry: for filtering what a list shows.
    pub(crate) fn admits(&self, caller: &Caller, action: Action, resource: &Resource) -> bool {
        self.policies
            .decide(caller, action, resource, &*self.chance)
            .is_ok()
    }

    async fn refuse(&self, caller: &Caller, ask: &Ask<'_>, denied: Denied) -> Result<Error> {
        let path = match ask.resource {
            Resource::File { path, .. } => Some(path.to_string()),
            Resource::Folder { path } => Some(path.to_string()),
            _ => None,
        };
        let note = Note::event(ask.operation, EventType::PolicyViolated)
            .ended(Outcome::Denied)
            .with(serde_json::json!({ "action": ask.action.name(), "reason": denied.reason.to_string() }));
        let mut entry = self.entry(caller, note);
        entry.subject.path = path;
        entry.decision = Some(denied.decision);
        let mut change = self.store.identity().change(caller.tenant());
        change.journal(&entry);
        change.commit().await.map_err(error::from_db)?;
        Ok(answer(ask.what, denied))
    }
}

fn answer(what: &str, denied: Denied) -> Error {
    let decided = |error: Error| error.decided_by(denied.decision);
    match &denied.reason {
        // A missing scope is a property of the credential and tells nothing about the thing.
        Reason::InsufficientScope(scope) => {
            let detail = format!("The credential lacks the scope `{scope}`.");
            decided(Error::new(ErrorKind::InsufficientScope, detail))
                .with("required_scope", scope.as_str())
        }
        _ if !denied.visible => Error::not_found(what),
        reason => decided(Error::new(
            ErrorKind::PolicyDenied,
            format!("Policy refused this: {reason}."),
        )),
    }
}
