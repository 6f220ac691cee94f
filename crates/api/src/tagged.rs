//! Schemas of unions that are told apart by one field: each variant is a named object that has the tag among its
//! properties. The derived form would refer to an untagged object beside a nameless one, which strict readers refuse
//! for closed objects and generators cannot name.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Discriminator, ObjectBuilder, OneOfBuilder, Ref, Schema, Type};

/// `oneOf` the named variants, with `tag` as discriminator.
pub(crate) fn union(tag: &str, description: &str, variants: &[(&str, &str)]) -> RefOr<Schema> {
    let mapping = variants
        .iter()
        .map(|(word, name)| (*word, Ref::from_schema_name(*name).ref_location));
    variants
        .iter()
        .fold(OneOfBuilder::new(), |union, (_, name)| {
            union.item(Ref::from_schema_name(*name))
        })
        .description(Some(description))
        .discriminator(Some(Discriminator::with_mapping(tag, mapping)))
        .into()
}

/// The object `schema` with the further property `tag`, which is always `word`.
pub(crate) fn variant(schema: RefOr<Schema>, tag: &str, word: &str) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            let kind = ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some([word]));
            object.properties.insert(tag.to_owned(), kind.into());
            object.required.insert(0, tag.to_owned());
            if let Some(serde_json::Value::Object(example)) = &mut object.example {
                example.insert(tag.to_owned(), word.into());
            }
            RefOr::T(Schema::Object(object))
        }
        other => other,
    }
}
