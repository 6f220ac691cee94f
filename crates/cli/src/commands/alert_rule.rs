use bailee_client::Client;
use bailee_client::api::AlertRule;
use bailee_client::model::AlertRuleId;

use super::{from_file, view};
use crate::Failure;
use crate::args::AlertRuleCommand;
use crate::session::Session;

/// Longest list of rules that is shown.
const ROWS_MAX: usize = 10_000;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    command: AlertRuleCommand,
) -> Result<(), Failure> {
    let rules = client.alert_rules();
    let one = |rule: &AlertRule| session.output.one(rule, view::ALERT_RULE);
    match command {
        AlertRuleCommand::Add(args) => one(&rules.create(&from_file(&args.file)?).await?),
        AlertRuleCommand::Replace(args) => {
            let id = find(client, &args.rule).await?.alert_rule_id;
            one(&rules.replace(id, &from_file(&args.file)?).await?)
        }
        AlertRuleCommand::List => {
            let found = rules.list().take(ROWS_MAX).await?;
            session.output.list(&found, view::ALERT_RULE)
        }
        AlertRuleCommand::Get(args) => one(&find(client, &args.rule).await?),
        AlertRuleCommand::Rm(args) => {
            let rule = find(client, &args.rule).await?;
            session.confirm(&format!("remove the alert rule {}?", rule.name))?;
            rules.delete(rule.alert_rule_id).await?;
            session.say(&format!("removed {}", rule.name));
            Ok(())
        }
    }
}

/// A rule by id or name.
pub(super) async fn find(client: &Client, text: &str) -> Result<AlertRule, Failure> {
    if let Ok(id) = text.parse::<AlertRuleId>() {
        return Ok(client.alert_rules().get(id).await?);
    }
    let found = client.alert_rules().by_name(text).await?;
    found.ok_or_else(|| Failure::NotFound(format!("no alert rule is named `{text}`")))
}
