use std::path::Path;

use bailee_client::Client;
use serde_json::{Map, Value, json};

use crate::Failure;
use crate::args::{ApplyArgs, DiffArgs, ExportArgs, Format, SiteFiles};
use crate::output::print;
use crate::session::Session;
use crate::site::{self, Carrier, Meaning, Plan, Server};

/// The first line of a site file.
const FORMAT_LINE: &str = "bailee: 1\n";

pub(super) async fn export(
    session: &Session,
    client: &Client,
    args: ExportArgs,
) -> Result<(), Failure> {
    let mut server = Server::new(client);
    let kinds = site::kinds_named(&args.kinds);
    let chapters = site::chapters(&mut server, &kinds).await?;
    for line in &server.withheld {
        session.say(line);
    }
    if let Some(folder) = &args.folder {
        std::fs::create_dir_all(folder).map_err(Failure::local("make", folder))?;
        for chapter in &chapters {
            let file = folder.join(format!("{}.yaml", chapter.kind));
            let text = format!("{FORMAT_LINE}{}", chapter.yaml);
            write(&file, &text, args.overwrite.then_some(Replace))?;
            session.say(&format!("wrote {}", file.display()));
        }
        return Ok(());
    }
    if session.global.output != Format::Table {
        let mut whole = Map::from_iter([("bailee".to_owned(), json!(1))]);
        whole.extend(
            chapters
                .into_iter()
                .map(|chapter| (chapter.kind.to_owned(), chapter.value)),
        );
        return print(&format!("{:#}\n", Value::Object(whole)));
    }
    let text: String = chapters.into_iter().map(|chapter| chapter.yaml).collect();
    print(&format!("{FORMAT_LINE}{text}"))
}

/// A file that is there may be replaced.
struct Replace;

fn write(file: &Path, text: &str, replace: Option<Replace>) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    match replace {
        Some(Replace) => options.create(true).truncate(true),
        None => options.create_new(true),
    };
    let write = || std::io::Write::write_all(&mut options.open(file)?, text.as_bytes());
    write().map_err(Failure::local("write", file))
}

pub(super) async fn diff(
    session: &Session,
    client: &Client,
    args: DiffArgs,
) -> Result<(), Failure> {
    let mut server = Server::new(client);
    let plan = planned(&mut server, client, &args.site, Meaning::default()).await?;
    show(session, &plan)?;
    if plan.steps.is_empty() {
        session.say("no changes");
        return Ok(());
    }
    Err(Failure::Differs(plan.summary()))
}

pub(super) async fn apply(
    session: &Session,
    client: &Client,
    args: ApplyArgs,
) -> Result<(), Failure> {
    let mut server = Server::new(client);
    let meaning = Meaning {
        sends_secrets: args.send_secrets,
        ..Meaning::default()
    };
    let plan = planned(&mut server, client, &args.site, meaning).await?;
    show(session, &plan)?;
    if plan.steps.is_empty() {
        session.say("no changes");
        return Ok(());
    }
    session.confirm(&format!("apply ({})?", plan.summary()))?;
    let mut carrier = Carrier {
        session,
        server,
        secrets_to: args.secrets_to,
    };
    carrier.carry(&plan).await?;
    session.say(&format!("all {} done", plan.steps.len()));
    Ok(())
}

async fn planned(
    server: &mut Server<'_>,
    client: &Client,
    files: &SiteFiles,
    meaning: Meaning<'_>,
) -> Result<Plan, Failure> {
    let mut site = site::read(&files.files)?;
    let present = server.things(&site.kinds).await?;
    site::without_ids(&mut site, server);
    let me = client.auth().validate().await?;
    let own = [
        me.principal_id.to_string(),
        me.key_id.map(|key| key.to_string()).unwrap_or_default(),
    ];
    let meaning = Meaning {
        prunes: files.prune,
        own: &own,
        ..meaning
    };
    site::plan(site, present, meaning)
}

fn show(session: &Session, plan: &Plan) -> Result<(), Failure> {
    if !session.output.is_table() {
        return session.output.list(&plan.rows(), site::STEP);
    }
    print(&plan.text())?;
    if !plan.kept.is_empty() {
        let hint = "not in the files, and left alone (--prune removes)";
        session.say(&format!("{hint}: {}", plan.kept.join(", ")));
    }
    Ok(())
}
