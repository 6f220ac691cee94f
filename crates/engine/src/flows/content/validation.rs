//! Whether files are what was agreed. All faults of all files are told at once, so that the sender can mend them.

use bailee_content::Result as ContentResult;
use bailee_content::limit::SNIFF_BYTES;
use bailee_content::validate::{
    Column, ColumnKind, CsvRule, JsonRule, NameRule, Report, RuleError, SizeRule, TypeRule,
    check_csv, check_json, check_xml,
};
use bailee_core::model::{CsvForm, CsvType, FlowFile, JsonForm, StepFault, ValidateStep};
use tokio::io::AsyncReadExt as _;

use super::fault::of_content;
use super::{Work, streams};

/// Faults that are told in words; the rest is counted.
const FAULTS_TOLD_MAX: usize = 20;

/// The rules of a step, made once.
struct Rules {
    name: Option<NameRule>,
    size: SizeRule,
    types: Option<TypeRule>,
    csv: Option<CsvRule>,
    json: Option<JsonRule>,
    xml: bool,
}

pub(super) async fn validate(work: &mut Work<'_>, step: &ValidateStep) -> Result<(), StepFault> {
    let rules = Rules::new(step).map_err(|error| {
        StepFault::permanent(error.code(), format!("The step cannot be done: {error}."))
    })?;
    let mut told = Vec::new();
    let mut has_more = false;
    for file in work.files {
        for report in reports(work, file, &rules).await? {
            has_more |= report.has_more;
            for fault in report.faults {
                let line = fault.line.map(|line| format!(", line {line}"));
                let place = fault.place.map(|place| format!(", {place}"));
                told.push(format!(
                    "{}{}{}: {}",
                    file.name,
                    line.unwrap_or_default(),
                    place.unwrap_or_default(),
                    fault.message
                ));
            }
        }
        work.outputs.pass(file);
    }
    if told.is_empty() {
        return Ok(());
    }
    let rest = told.len().saturating_sub(FAULTS_TOLD_MAX);
    told.truncate(FAULTS_TOLD_MAX);
    let mut detail = told.join("; ");
    if rest > 0 || has_more {
        detail.push_str("; and more");
    }
    Err(StepFault::permanent(
        "content_invalid",
        format!("{detail}."),
    ))
}

impl Rules {
    fn new(step: &ValidateStep) -> Result<Self, RuleError> {
        Ok(Self {
            name: step.name.as_deref().map(NameRule::new).transpose()?,
            size: SizeRule {
                bytes_min: step.min_bytes.unwrap_or(0),
                bytes_max: step.max_bytes.unwrap_or(u64::MAX),
            },
            types: (!step.types.is_empty()).then(|| TypeRule {
                types: step.types.clone(),
            }),
            csv: step.csv.as_ref().map(csv).transpose()?,
            json: step.json.as_ref().map(json).transpose()?,
            xml: step.xml,
        })
    }
}

async fn reports(
    work: &Work<'_>,
    file: &FlowFile,
    rules: &Rules,
) -> Result<Vec<Report>, StepFault> {
    let told = |report: ContentResult<Report>| report.map_err(|e| of_content(&file.name, &e));
    let name = rules.name.as_ref();
    let mut reports: Vec<Report> = name
        .map(|rule| rule.check(file.name.as_str()))
        .into_iter()
        .collect();
    reports.push(rules.size.check(file.size_bytes));
    if let Some(rule) = &rules.types {
        let mut head = Vec::new();
        let input = streams::open(work.core, work.caller, file).await?;
        let read = input.take(SNIFF_BYTES as u64).read_to_end(&mut head).await;
        read.map_err(|error| streams::from_io(&error))?;
        reports.push(rule.check(&head));
    }
    if let Some(rule) = &rules.csv {
        let input = streams::open(work.core, work.caller, file).await?;
        reports.push(told(check_csv(input, rule.clone()).await)?);
    }
    if let Some(rule) = &rules.json {
        let input = streams::open(work.core, work.caller, file).await?;
        reports.push(told(check_json(input, rule.clone()).await)?);
    }
    if rules.xml {
        let input = streams::open(work.core, work.caller, file).await?;
        reports.push(told(check_xml(input).await)?);
    }
    Ok(reports)
}

fn csv(form: &CsvForm) -> Result<CsvRule, RuleError> {
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
    let rule = CsvRule::new(form.delimiter, columns.collect())?.with_rows_min(form.min_rows);
    Ok(if form.header {
        rule
    } else {
        rule.without_header()
    })
}

fn json(form: &JsonForm) -> Result<JsonRule, RuleError> {
    match &form.schema {
        None => Ok(JsonRule::well_formed()),
        Some(schema) => JsonRule::by_schema(schema.to_string().as_bytes()),
    }
}
