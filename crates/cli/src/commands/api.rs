use std::path::Path;

use bailee_client::{Client, RawCall};
use serde_json::Value;

use crate::Failure;
use crate::args::ApiArgs;
use crate::output::print;
use crate::session::{Session, read_text};

pub(super) async fn run(session: &Session, client: &Client, args: ApiArgs) -> Result<(), Failure> {
    let body = match args.data.as_deref() {
        Some("-") => Some(json(&read_text(Path::new("-"))?)?),
        Some(text) => Some(json(text)?),
        None => None,
    };
    let call = RawCall {
        method: args.method.to_ascii_uppercase(),
        path: args.path,
        query: args.fields,
        body,
        if_match: None,
    };
    if args.paginate {
        return pages(client, call).await;
    }
    let answer = client.raw(call).await?;
    let text = String::from_utf8_lossy(&answer.body);
    match serde_json::from_str::<Value>(&text) {
        Ok(value) if session.output.is_table() => print(&format!("{value:#}\n")),
        _ if text.is_empty() => Ok(()),
        _ => print(&format!("{}\n", text.trim_end())),
    }
}

async fn pages(client: &Client, call: RawCall) -> Result<(), Failure> {
    let mut next = Some(call.clone());
    while let Some(page) = next.take() {
        let answer = client.raw(page).await?;
        let list: Value = serde_json::from_slice(&answer.body)
            .map_err(|_| Failure::Other("the answer is no list".to_owned()))?;
        for item in list
            .get("data")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            print(&format!("{item}\n"))?;
        }
        if let Some(cursor) = list.get("next_cursor").and_then(Value::as_str) {
            let mut more = call.clone();
            more.query.push(("cursor".to_owned(), cursor.to_owned()));
            next = Some(more);
        }
    }
    Ok(())
}

fn json(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::usage(
            format!("the body is not JSON: {error}"),
            "Quote it for your shell.",
        )
    })
}
