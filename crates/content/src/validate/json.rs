//! JSON: well-formed, or by a schema.

use std::io::{BufReader, Read};
use std::sync::Arc;

use jsonschema::{PatternOptions, Retrieve, Uri, Validator};
use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};
use tokio::io::AsyncRead;

use super::{Fault, Report, RuleError};
use crate::Result;
use crate::limit::{JSON_BYTES_MAX, PATTERN_BYTES_MAX, PIECE_BYTES, SCHEMA_BYTES_MAX};
use crate::worker::{self, Source, read_fault};

/// What a document must be. Without a schema, documents of any size stream; with one, they are held up to [`JSON_BYTES_MAX`].
#[derive(Debug, Clone, Default)]
pub struct JsonRule {
    schema: Option<Arc<Validator>>,
}

impl JsonRule {
    pub fn well_formed() -> Self {
        Self::default()
    }

    /// A JSON Schema that refers to nothing outside of itself.
    pub fn by_schema(schema: &[u8]) -> Result<Self, RuleError> {
        if schema.len() > SCHEMA_BYTES_MAX {
            return Err(RuleError::Schema("it is too long".into()));
        }
        let refuse = |error: String| RuleError::Schema(error);
        let schema: Value =
            serde_json::from_slice(schema).map_err(|error| refuse(error.to_string()))?;
        let patterns = PatternOptions::regex()
            .size_limit(PATTERN_BYTES_MAX)
            .dfa_size_limit(PATTERN_BYTES_MAX);
        let validator = jsonschema::options()
            .with_retriever(Nothing)
            .with_pattern_options(patterns)
            .build(&schema)
            .map_err(|error| refuse(error.to_string()))?;
        Ok(Self {
            schema: Some(Arc::new(validator)),
        })
    }
}

/// Schemas elsewhere are not fetched: content would decide where we connect.
struct Nothing;

impl Retrieve for Nothing {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("{uri} is outside of the schema").into())
    }
}

pub async fn check_json<R>(input: R, rule: JsonRule) -> Result<Report>
where
    R: AsyncRead + Send + Unpin + 'static,
{
    worker::inspect(input, move |source| match &rule.schema {
        None => parse::<IgnoredAny>(source, u64::MAX).map(|parsed| match parsed {
            Ok(_) => Report::default(),
            Err(fault) => Report::of(Some(fault)),
        }),
        Some(schema) => by_schema(source, schema),
    })
    .await
}

fn by_schema(source: Source, schema: &Validator) -> Result<Report> {
    let meter = source.meter();
    let document = match parse::<Value>(source, JSON_BYTES_MAX)? {
        Ok(document) => document,
        Err(_) if meter.read_bytes() >= JSON_BYTES_MAX => {
            let message = format!("the document has more than {JSON_BYTES_MAX} bytes");
            return Ok(Report::of(Some(Fault::new(message))));
        }
        Err(fault) => return Ok(Report::of(Some(fault))),
    };
    let mut report = Report::default();
    for error in schema.iter_errors(&document) {
        report.add(Fault {
            line: None,
            place: Some(error.instance_path().to_string()),
            // Values may be secret or long: the message names their place.
            message: error.masked().to_string(),
        });
        if report.has_more {
            break;
        }
    }
    Ok(report)
}

/// One document and nothing after it. A fault of the document is no error.
fn parse<T: serde::de::DeserializeOwned>(
    source: Source,
    bytes_max: u64,
) -> Result<std::result::Result<T, Fault>> {
    let meter = source.meter();
    let reader = BufReader::with_capacity(PIECE_BYTES, source.take(bytes_max));
    let mut parser = Deserializer::from_reader(reader);
    let parsed = T::deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    match parsed {
        Ok(value) => Ok(Ok(value)),
        Err(error) if meter.has_failed() => {
            Err(read_fault(error.into(), &meter, &crate::Error::Read))
        }
        Err(error) => Ok(Err(Fault::at_line(error.line() as u64, error.to_string()))),
    }
}
