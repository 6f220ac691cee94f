//! What the policies are asked: everything they may read, and nothing else.

use std::collections::{BTreeMap, HashMap, HashSet};

use bailee_model::{Classification, Role, Scope};
use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};

use crate::resource::Kind;
use crate::{Action, Caller, PolicyError, Resource};

/// One question to the policies.
///
/// The request to Cedar is made from this value alone ([`Question::put`]), so two equal questions have the same answer
/// whoever asks: that is why answers may be remembered by question. Whoever lets policies read one thing more (an
/// address, a path, a tag) must add it here first, and the memory stays sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    /// One bit for each of [`Role::ALL`].
    roles: u8,
    /// One bit for each of [`Scope::ALL`] that is held.
    scopes: u32,
    pub(crate) action: Action,
    pub(crate) kind: Kind,
    owner: Owner,
    classification: Option<&'static str>,
    is_within_prefixes: bool,
}

/// Whose the resource is, seen from the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Owner {
    Caller,
    Another,
    Nobody,
}

impl Question {
    pub(crate) fn new(caller: &Caller, action: Action, resource: &Resource) -> Self {
        let classification = match resource {
            Resource::File { classification, .. } => classification.map(classification_name),
            _ => None,
        };
        Self {
            roles: bits(Role::ALL, |role| caller.roles().contains(&role)) as u8,
            scopes: bits(Scope::ALL, |scope| caller.scopes().hold(scope)),
            action,
            kind: resource.kind(),
            owner: match resource.owner() {
                Some(owner) if owner == caller.principal() => Owner::Caller,
                Some(_) => Owner::Another,
                None => Owner::Nobody,
            },
            classification,
            is_within_prefixes: resource.is_within_any(caller.path_prefixes()),
        }
    }

    /// The same question about another action.
    pub(crate) fn about(self, action: Action) -> Self {
        Self { action, ..self }
    }

    /// The question in Cedar's terms.
    pub(crate) fn put(&self, words: &Words) -> Result<(Request, Entities), PolicyError> {
        let resource = self.resource(words)?;
        let request = Request::new(
            words.caller.clone(),
            words.action(self.action)?,
            resource.clone(),
            self.context()?,
            None,
        )
        .map_err(|source| PolicyError::Request(Box::new(source)))?;
        let roles = held(self.roles.into(), &words.roles).cloned();
        let mut entities = vec![Entity::new_no_attrs(words.caller.clone(), roles.collect())];
        if resource != words.caller {
            let attributes = self.attributes(words);
            entities.push(
                Entity::new(resource, attributes, HashSet::new())
                    .map_err(|source| PolicyError::Attribute(Box::new(source)))?,
            );
        }
        let entities = Entities::from_entities(entities, None)
            .map_err(|source| PolicyError::Entities(Box::new(source)))?;
        Ok((request, entities))
    }

    fn resource(&self, words: &Words) -> Result<EntityUid, PolicyError> {
        match (self.kind, self.owner) {
            (Kind::Principal, Owner::Caller) => Ok(words.caller.clone()),
            _ => words.kind(self.kind),
        }
    }

    fn context(&self) -> Result<Context, PolicyError> {
        let scopes = held(self.scopes, Scope::ALL)
            .map(|scope| RestrictedExpression::new_string(scope.as_str().to_owned()));
        Context::from_pairs([
            ("scopes".to_owned(), RestrictedExpression::new_set(scopes)),
            (
                "is_within_prefixes".to_owned(),
                RestrictedExpression::new_bool(self.is_within_prefixes),
            ),
        ])
        .map_err(|source| PolicyError::Context(Box::new(source)))
    }

    fn attributes(&self, words: &Words) -> HashMap<String, RestrictedExpression> {
        let owner = match (self.kind, self.owner) {
            (Kind::Principal, _) | (_, Owner::Nobody) => None,
            (_, Owner::Caller) => Some(&words.caller),
            (_, Owner::Another) => Some(&words.another),
        };
        let owner = owner.map(|uid| RestrictedExpression::new_entity_uid(uid.clone()));
        let classification = self
            .classification
            .map(|name| RestrictedExpression::new_string(name.to_owned()));
        [("owner", owner), ("classification", classification)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    }
}

/// The names of the schema, made once. The caller is always `Principal::"caller"` and any other principal
/// `Principal::"another"`: the policies see who owns what, never who it is.
pub(crate) struct Words {
    caller: EntityUid,
    another: EntityUid,
    /// In the order of [`Role::ALL`].
    roles: Vec<EntityUid>,
    actions: BTreeMap<Action, EntityUid>,
    kinds: BTreeMap<Kind, EntityUid>,
}

impl Words {
    pub(crate) fn new() -> Result<Self, PolicyError> {
        let actions = Action::ALL
            .iter()
            .map(|action| Ok((*action, uid("Action", action.name())?)));
        let kinds = Kind::ALL
            .iter()
            .map(|kind| Ok((*kind, uid(kind.name(), "another")?)));
        Ok(Self {
            caller: uid("Principal", "caller")?,
            another: uid("Principal", "another")?,
            roles: Role::ALL
                .iter()
                .map(|role| uid("Role", role.as_str()))
                .collect::<Result<_, _>>()?,
            actions: actions.collect::<Result<_, PolicyError>>()?,
            kinds: kinds.collect::<Result<_, PolicyError>>()?,
        })
    }

    fn action(&self, action: Action) -> Result<EntityUid, PolicyError> {
        let uid = self.actions.get(&action).cloned();
        uid.ok_or_else(|| PolicyError::Word(action.name().to_owned()))
    }

    fn kind(&self, kind: Kind) -> Result<EntityUid, PolicyError> {
        let uid = self.kinds.get(&kind).cloned();
        uid.ok_or_else(|| PolicyError::Word(kind.name().to_owned()))
    }
}

/// The full name of a type of the schema.
pub(crate) fn type_name(name: &str) -> Result<EntityTypeName, PolicyError> {
    let name = format!("Bailee::{name}");
    name.parse().map_err(|_| PolicyError::Word(name))
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, PolicyError> {
    Ok(EntityUid::from_type_name_and_id(
        type_name(kind)?,
        EntityId::new(id),
    ))
}

fn classification_name(classification: Classification) -> &'static str {
    match classification {
        Classification::Public => "public",
        Classification::Internal => "internal",
        Classification::Confidential => "confidential",
        Classification::Restricted => "restricted",
    }
}

/// One bit for each of `all` that is held, the first in the lowest place.
fn bits<T: Copy>(all: &[T], is_held: impl Fn(T) -> bool) -> u32 {
    let one = |(place, item): (usize, &T)| u32::from(is_held(*item)) << place;
    all.iter().enumerate().map(one).sum()
}

/// Those of `all` whose bit is set.
fn held<T>(bits: u32, all: &[T]) -> impl Iterator<Item = &T> {
    all.iter()
        .enumerate()
        .filter(move |(place, _)| (bits >> place) & 1 == 1)
        .map(|(_, item)| item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_and_scope_has_a_bit() {
        assert!(Role::ALL.len() <= 8);
        assert!(Scope::ALL.len() <= 32);
        let all = bits(Scope::ALL, |_| true);
        assert_eq!(held(all, Scope::ALL).count(), Scope::ALL.len());
        assert_eq!(held(0b101, &[1, 2, 3]).collect::<Vec<_>>(), [&1, &3]);
    }
}
