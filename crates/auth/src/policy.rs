//! The decision: Cedar over the built-in policies, and the only maker of permits.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use bailee_model::{Chance, DecisionId};
use cedar_policy::{
    Authorizer, CedarSchemaError, ContextCreationError, Decision, EntityAttrEvaluationError,
    ParseErrors, Policy, PolicyId, PolicySet, PolicySetError, RequestValidationError, Response,
    Schema, entities_errors::EntitiesError,
};

use crate::limit::DECISIONS_KEPT_MAX;
use crate::question::{Question, Words, type_name};
use crate::resource::Kind;
use crate::{Action, Caller, Denied, Permit, Reason, Resource};

const SCHEMA: &str = include_str!("../../../policies/bailee.cedarschema");

/// Each file of built-in policies with its name.
const BUILTIN: &[(&str, &str)] = &[
    (
        "administrator.cedar",
        include_str!("../../../policies/builtin/administrator.cedar"),
    ),
    (
        "auditor.cedar",
        include_str!("../../../policies/builtin/auditor.cedar"),
    ),
    (
        "credential.cedar",
        include_str!("../../../policies/builtin/credential.cedar"),
    ),
    (
        "everyone.cedar",
        include_str!("../../../policies/builtin/everyone.cedar"),
    ),
    (
        "member.cedar",
        include_str!("../../../policies/builtin/member.cedar"),
    ),
    (
        "operator.cedar",
        include_str!("../../../policies/builtin/operator.cedar"),
    ),
];

/// What stands for a policy's id when a question could not be answered at all. Refused, whatever the permits say.
const UNANSWERED: &str = "unanswered";

/// The policies, read once and kept. Shared by all requests.
pub struct Policies {
    authorizer: Authorizer,
    set: PolicySet,
    words: Words,
    /// Which action fits which kind of resource, as the schema says.
    fitting: HashSet<(Action, Kind)>,
    /// Answers by question. Sound because a question holds all that policies can read, see [`Question`].
    answers: RwLock<HashMap<Question, Answer>>,
}

/// `Err` says why not.
pub(crate) type Answer = Result<(), Reason>;

impl Policies {
    /// The built-in policies. They are part of the program, so an error here is a mistake in it.
    pub fn builtin() -> Result<Self, PolicyError> {
        Ok(Self {
            authorizer: Authorizer::new(),
            set: policies()?,
            words: Words::new()?,
            fitting: fitting(&schema()?)?,
            answers: RwLock::default(),
        })
    }

    /// Decides whether `caller` may do `action` to `resource`: the only maker of permits.
    ///
    /// Roles permit; the credential's scopes and path prefixes forbid, and a forbid wins. An action that does not fit
    /// the resource (the schema says which do) is refused as if no role permitted it. `chance` and the time of the
    /// caller's request make the decision's id.
    pub fn decide(
        &self,
        caller: &Caller,
        action: Action,
        resource: &Resource,
        chance: &dyn Chance,
    ) -> Result<Permit, Denied> {
        let decision = DecisionId::new(caller.facts().now, chance);
        let question = Question::new(caller, action, resource);
        match self.answer(question) {
            Ok(()) => Ok(Permit::new(caller.clone(), action, decision)),
            Err(reason) => Err(Denied {
                decision,
                reason,
                visible: self.shows(question),
            }),
        }
    }

    /// Whether an action fits a kind of resource.
    pub(crate) fn fits(&self, action: Action, kind: Kind) -> bool {
        self.fitting.contains(&(action, kind))
    }

    /// Whether the caller may know that the resource in question is there.
    fn shows(&self, question: Question) -> bool {
        let may = |action: &Action| self.answer(question.about(*action)).is_ok();
        question
            .kind
            .seen_by()
            .is_none_or(|actions| actions.iter().any(may))
    }

    /// The answer, from memory if the question was asked before.
    pub(crate) fn answer(&self, question: Question) -> Answer {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = answers.get(&question) {
            return answer.clone();
        }
        drop(answers);
        let answer = self.answer_afresh(question);
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= DECISIONS_KEPT_MAX {
            answers.clear();
        }
        answers.insert(question, answer.clone());
        answer
    }

    /// How many answers are remembered.
    #[cfg(test)]
    pub(crate) fn remembered(&self) -> usize {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        answers.len()
    }

    /// The answer, from Cedar.
    pub(crate) fn answer_afresh(&self, question: Question) -> Answer {
        if !self.fits(question.action, question.kind) {
            return Err(Reason::Role);
        }
        let Ok((request, entities)) = question.put(&self.words) else {
            return Err(Reason::Forbidden(UNANSWERED.to_owned()));
        };
        let response = self
            .authorizer
            .is_authorized(&request, &self.set, &entities);
        // Cedar skips a policy that fails, and a forbid must not get lost that way.
        if response.diagnostics().errors().next().is_some() {
            return Err(Reason::Forbidden(UNANSWERED.to_owned()));
        }
        match response.decision() {
            Decision::Allow => Ok(()),
            Decision::Deny => Err(self.reason(question.action, &response)),
        }
    }

    /// The weightiest reason for a refusal: what the credential lacks before where it looks, and those before the rest.
    fn reason(&self, action: Action, response: &Response) -> Reason {
        let refuses = |id: &PolicyId| self.set.annotation(id, "refuses");
        let ids: Vec<&PolicyId> = response.diagnostics().reason().collect();
        let any = |what: &str| ids.iter().any(|id| refuses(id) == Some(what));
        if any("scope") {
            return Reason::InsufficientScope(action.scope());
        }
        if any("prefixes") {
            return Reason::OutsidePathPrefixes;
        }
        match ids.iter().map(ToString::to_string).min() {
            Some(id) => Reason::Forbidden(id),
            None => Reason::Role,
        }
    }
}

/// The schema of the policies.
pub(crate) fn schema() -> Result<Schema, PolicyError> {
    let (schema, _warnings) = Schema::from_cedarschema_str(SCHEMA)
        .map_err(|source| PolicyError::Schema(Box::new(source)))?;
    Ok(schema)
}

/// All built-in policies, each under the id in its `@id`.
pub(crate) fn policies() -> Result<PolicySet, PolicyError> {
    let mut all = PolicySet::new();
    for &(file, text) in BUILTIN {
        let read: PolicySet = text.parse().map_err(|source| PolicyError::Text {
            file,
            source: Box::new(source),
        })?;
        for policy in read.policies() {
            all.add(named(file, policy)?)
                .map_err(|source| PolicyError::Set {
                    file,
                    source: Box::new(source),
                })?;
        }
    }
    Ok(all)
}

fn named(file: &'static str, policy: &Policy) -> Result<Policy, PolicyError> {
    let id = policy.annotation("id").filter(|id| !id.is_empty());
    let id = id.ok_or(PolicyError::Unnamed { file })?;
    Ok(policy.new_id(PolicyId::new(id)))
}

fn fitting(schema: &Schema) -> Result<HashSet<(Action, Kind)>, PolicyError> {
    let mut fitting = HashSet::new();
    for environment in schema.request_envs() {
        let name = environment.action().id().unescaped();
        let action = Action::ALL.iter().find(|action| action.name() == name);
        let action = action.ok_or_else(|| PolicyError::Word(name.to_owned()))?;
        for kind in Kind::ALL {
            if *environment.resource() == type_name(kind.name())? {
                fitting.insert((*action, *kind));
            }
        }
    }
    Ok(fitting)
}

/// Why the policies cannot be used. All of these are mistakes in the policies or in this crate.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The schema does not parse.
    #[error("the policy schema is broken")]
    Schema(#[source] Box<CedarSchemaError>),
    /// A file of policies does not parse.
    #[error("the policies in {file} do not parse")]
    Text {
        /// Its name.
        file: &'static str,
        /// What Cedar says.
        #[source]
        source: Box<ParseErrors>,
    },
    /// A policy has no `@id`.
    #[error("a policy in {file} has no @id")]
    Unnamed {
        /// Where it stands.
        file: &'static str,
    },
    /// A policy has an id that another has already.
    #[error("a policy in {file} cannot be added")]
    Set {
        /// Where it stands.
        file: &'static str,
        /// What Cedar says.
        #[source]
        source: Box<PolicySetError>,
    },
    /// Code and schema do not use the same words.
    #[error("{0} is not a word of both the code and the policy schema")]
    Word(String),
    /// A question's request cannot be made.
    #[error("a request to the policies cannot be made")]
    Request(#[source] Box<RequestValidationError>),
    /// A question's context cannot be made.
    #[error("the context of a request to the policies cannot be made")]
    Context(#[source] Box<ContextCreationError>),
    /// A question's resource cannot be made.
    #[error("the resource of a request to the policies cannot be made")]
    Attribute(#[source] Box<EntityAttrEvaluationError>),
    /// A question's entities cannot be made.
    #[error("the entities of a request to the policies cannot be made")]
    Entities(#[source] Box<EntitiesError>),
}
