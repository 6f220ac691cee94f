//! What steps ask for and only those who do it can judge: patterns, schemas, caps, tags. It is asked when a document is
//! saved, so that no run has to find out.

use std::collections::BTreeMap;

use bailee_content::limit::{ENTRIES_MAX, EXTRACTED_BYTES_MAX, RATIO_MAX};
use bailee_content::validate::{
    Column, ColumnKind, CsvRule, JsonRule, NameRule, RuleError, SizeRule, TypeRule,
};
use bailee_model::flow::{Step, StepAction, TagStep, Template, TransferStep, split_wild};
use bailee_model::{
    ContentStep, CsvForm, CsvType, ExtractStep, FieldError, FlowDocument, ValidateStep, limit,
};
use serde_json::Value;

use crate::checks;
use crate::transfers::parse_end;

/// The rules of a `validate` step, made once.
pub struct ContentRules {
    /// For the name.
    pub name: Option<NameRule>,
    /// For the size.
    pub size: SizeRule,
    /// For the type that the first bytes show.
    pub types: Option<TypeRule>,
    /// For CSV.
    pub csv: Option<CsvRule>,
    /// For JSON.
    pub json: Option<JsonRule>,
    /// Whether it must be well-formed XML.
    pub xml: bool,
}

impl ContentRules {
    /// The rules of a step; or the first that cannot be one, with its place in the step: `csv/columns/0/pattern`.
    pub fn of(step: &ValidateStep) -> Result<Self, (String, RuleError)> {
        let name = step.name_pattern.as_deref().map(NameRule::new).transpose();
        Ok(Self {
            name: name.map_err(|error| ("name_pattern".to_owned(), error))?,
            size: SizeRule {
                bytes_min: step.min_bytes.unwrap_or(0),
                bytes_max: step.max_bytes.unwrap_or(u64::MAX),
            },
            types: (!step.types.is_empty()).then(|| TypeRule {
                types: step.types.clone(),
            }),
            csv: step.csv.as_ref().map(csv).transpose()?,
            json: match step.json.as_ref().map(|form| &form.schema) {
                None => None,
                Some(None) => Some(JsonRule::well_formed()),
                Some(Some(schema)) => {
                    let rule = JsonRule::by_schema(schema.to_string().as_bytes());
                    Some(rule.map_err(|error| ("json/schema".to_owned(), error))?)
                }
            },
            xml: step.xml,
        })
    }
}

fn csv(form: &CsvForm) -> Result<CsvRule, (String, RuleError)> {
    for (at, column) in form.columns.iter().enumerate() {
        if let Some(Err(error)) = column.pattern.as_deref().map(NameRule::new) {
            return Err((format!("csv/columns/{at}/pattern"), error));
        }
    }
    let columns = form.columns.iter().map(|column| Column {
        name: column.name.clone(),
        kind: match column.kind {
            CsvType::Text => ColumnKind::Text,
            CsvType::Integer => ColumnKind::Integer,
            CsvType::Decimal => ColumnKind::Decimal,
            CsvType::Date => ColumnKind::Date,
            CsvType::Boolean => ColumnKind::Boolean,
        },
        pattern: column.pattern.clone(),
        is_required: column.required,
    });
    let rule = CsvRule::new(form.delimiter, columns.collect()).map_err(|error| {
        let place = match &error {
            RuleError::Csv { field, .. } => format!("csv/{field}"),
            _ => "csv".to_owned(),
        };
        (place, error)
    })?;
    let rule = rule.with_rows_min(form.min_rows);
    Ok(if form.header {
        rule
    } else {
        rule.without_header()
    })
}

/// All that is wrong with the steps of a document that reads well.
pub(super) fn problems(document: &FlowDocument) -> Vec<FieldError> {
    let mut problems = Problems::default();
    for (at, step) in document.steps_at() {
        problems.step(&at, step);
    }
    problems.0
}

#[derive(Default)]
struct Problems(Vec<FieldError>);

impl Problems {
    fn add(&mut self, pointer: String, code: &'static str, detail: impl Into<String>) {
        self.0.push(FieldError {
            pointer,
            code,
            detail: detail.into(),
        });
    }

    fn within<N: PartialOrd + std::fmt::Display>(
        &mut self,
        pointer: String,
        value: Option<N>,
        (least, most): (N, N),
    ) {
        if value.is_some_and(|value| value < least || value > most) {
            let detail = format!("Must be {least} to {most}.");
            self.add(pointer, "out_of_range", detail);
        }
    }

    fn step(&mut self, at: &str, step: &Step) {
        match &step.action {
            StepAction::Transfer(transfer) => self.transfer(at, transfer),
            StepAction::Tag(tag) => self.tag(at, tag),
            StepAction::Approve(approve) => {
                for (index, who) in approve.approvers.iter().enumerate() {
                    if !who.starts_with("usr:") && !who.starts_with("svc:") {
                        let detail = "Who decides is named as `usr:ann` or `svc:gate`.";
                        self.add(format!("{at}/approvers/{index}"), "invalid", detail);
                    }
                }
            }
            StepAction::Content(content) => match outlined(content) {
                Ok(content) => self.content(at, &content),
                Err(why) => self.add(at.to_owned(), "invalid", format!("{why}.")),
            },
            _ => {}
        }
    }

    fn transfer(&mut self, at: &str, transfer: &TransferStep) {
        let most = (limit::BANDWIDTH_MIN, u64::MAX);
        self.within(format!("{at}/bandwidth"), transfer.bandwidth, most);
        for (name, end) in [
            ("source", &transfer.source),
            ("destination", &transfer.destination),
        ] {
            let Some(text) = end.as_ref().map(Template::outline) else {
                continue;
            };
            let end = if name == "source" {
                split_wild(&text).0
            } else {
                &text
            };
            if let Err(error) = parse_end(end) {
                self.add(format!("{at}/{name}"), "invalid", error.detail());
            }
        }
        for (name, globs) in [
            ("include", &transfer.include),
            ("exclude", &transfer.exclude),
        ] {
            if globs.len() > limit::GLOBS_MAX {
                let detail = format!("At most {} patterns.", limit::GLOBS_MAX);
                self.add(format!("{at}/{name}"), "too_many", detail);
            }
        }
    }

    fn tag(&mut self, at: &str, tag: &TagStep) {
        for (name, tags) in [("add", &tag.add), ("remove", &tag.remove)] {
            for (index, tag) in tags.iter().enumerate() {
                if let Err(error) = checks::tags(vec![tag.outline()]) {
                    self.add(format!("{at}/{name}/{index}"), "invalid", error.detail());
                }
            }
        }
        let filled = tag.metadata.iter().map(|(name, value)| {
            let value = value.as_ref().map(Template::outline).unwrap_or_default();
            (name.clone(), value)
        });
        if let Err(error) = checks::metadata(&filled.collect::<BTreeMap<_, _>>()) {
            self.add(format!("{at}/metadata"), "invalid", error.detail());
        }
    }

    fn content(&mut self, at: &str, step: &ContentStep) {
        match step {
            ContentStep::PgpDecrypt(step) => self.at_least_one(at, step.max_bytes),
            ContentStep::PgpVerify(step) => self.at_least_one(at, step.max_bytes),
            ContentStep::Extract(step) => self.extract(at, step),
            ContentStep::Validate(step) => self.validate(at, step),
            ContentStep::PgpEncrypt(_)
            | ContentStep::PgpSign(_)
            | ContentStep::Compress(_)
            | ContentStep::Checksum(_) => {}
        }
    }

    /// More than a file may have is no fault: that bounds it too.
    fn at_least_one(&mut self, at: &str, bytes_max: Option<u64>) {
        self.within(format!("{at}/max_bytes"), bytes_max, (1, u64::MAX));
    }

    fn extract(&mut self, at: &str, step: &ExtractStep) {
        for (name, value, most) in [
            ("max_files", step.max_files, ENTRIES_MAX),
            ("max_bytes", step.max_bytes, EXTRACTED_BYTES_MAX),
            ("max_ratio", step.max_ratio, RATIO_MAX),
        ] {
            self.within(format!("{at}/{name}"), value, (1, most));
        }
    }

    fn validate(&mut self, at: &str, step: &ValidateStep) {
        if step.is_empty() {
            let detail = "Say what is checked: `name_pattern`, `min_bytes`, `max_bytes`, `types`, `csv`, `json` or `xml`.";
            self.add(at.to_owned(), "missing", detail);
        }
        if step
            .min_bytes
            .zip(step.max_bytes)
            .is_some_and(|(min, max)| min > max)
        {
            let detail = "Must not be less than `min_bytes`.";
            self.add(format!("{at}/max_bytes"), "out_of_range", detail);
        }
        for (index, kind) in step.types.iter().enumerate() {
            if !is_media_type(kind) {
                let detail = "A type is named as `application/pdf` or `image/*`.";
                self.add(format!("{at}/types/{index}"), "invalid", detail);
            }
        }
        if let Err((place, error)) = ContentRules::of(step) {
            self.add(format!("{at}/{place}"), error.code(), format!("{error}."));
        }
    }
}

fn is_media_type(text: &str) -> bool {
    let is_word = |word: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        !word.is_empty() && word.chars().all(fits)
    };
    text.split_once('/')
        .is_some_and(|(family, kind)| is_word(family) && (kind == "*" || is_word(kind)))
}

/// A step as it may be once its templates are filled.
fn outlined(step: &ContentStep) -> Result<ContentStep, String> {
    let mut texts = serde_json::to_value(step).map_err(|error| error.to_string())?;
    outline(&mut texts);
    serde_json::from_value(texts).map_err(|error| error.to_string())
}

fn outline(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Ok(template) = text.parse::<Template>() {
                *text = template.outline();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(outline),
        Value::Object(fields) => fields.values_mut().for_each(outline),
        _ => {}
    }
}
