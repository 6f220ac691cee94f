//! Whether files are what was agreed. All faults of all files are told at once, so that the sender can mend them.

use bailee_content::Result as ContentResult;
use bailee_content::limit::SNIFF_BYTES;
use bailee_content::validate::{Report, check_csv, check_json, check_xml};
use bailee_core::ContentRules;
use bailee_core::model::{FlowFile, StepFault, ValidateStep};
use tokio::io::AsyncReadExt as _;

use super::fault::of_content;
use super::{Work, streams};

/// Faults that are told in words; the rest is counted.
const FAULTS_TOLD_MAX: usize = 20;

pub(super) async fn validate(work: &mut Work<'_>, step: &ValidateStep) -> Result<(), StepFault> {
    let rules = ContentRules::of(step).map_err(|(_, error)| {
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

async fn reports(
    work: &Work<'_>,
    file: &FlowFile,
    rules: &ContentRules,
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
