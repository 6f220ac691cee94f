//! `/events`: feed, stream, catalogue.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::{PATIENCE, Server};

#[tokio::test]
async fn the_feed_has_every_event_once_in_order() {
    let server = Server::start().await;
    let admin = server.admin();
    let mut uploaded = Vec::new();
    for number in 0..7 {
        let file = admin.upload(&format!("/e/{number}"), b"x").await;
        uploaded.push(file["file_id"].clone());
    }
    let mut seen = Vec::new();
    let mut after = 0;
    while seen.len() < uploaded.len() {
        let path = format!("/events?after={after}&type=file.uploaded&limit=2&wait=10");
        let page = admin.get(&path).send().await.is(200).json();
        for event in page["data"].as_array().unwrap() {
            assert!(event["sequence"].as_u64().unwrap() > after);
            assert_eq!(event["type"], "file.uploaded");
            after = event["sequence"].as_u64().unwrap();
            seen.push(event["file_id"].clone());
        }
        after = after.max(page["next_after"].as_u64().unwrap());
    }
    assert_eq!(seen, uploaded);
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_an_event() {
    let server = Server::start().await;
    let admin = server.admin();
    let newest = admin.get("/events?limit=1").send().await.is(200).json();
    let after = newest["next_after"].as_u64().unwrap_or(0);
    let path = format!("/events?after={after}&type=file.deleted&wait=60");
    let reader = tokio::spawn({
        let admin = admin.clone();
        async move { admin.get(&path).send().await.is(200).json() }
    });
    let file = admin.upload("/e/a", b"a").await;
    admin
        .delete(&format!("/files/{}", file["file_id"].as_str().unwrap()))
        .send()
        .await
        .is(204);
    let page = tokio::time::timeout(PATIENCE, reader)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(page["data"][0]["type"], "file.deleted", "{page}");
    assert_eq!(page["data"][0]["file_id"], file["file_id"]);
}

#[tokio::test]
async fn the_stream_sends_and_resumes() {
    let server = Server::start().await;
    let admin = server.admin();
    let first = admin.upload("/e/1", b"1").await;
    let second = admin.upload("/e/2", b"2").await;
    let events = read_stream(&server, "0", 2).await;
    let ids: Vec<&Value> = events.iter().map(|(_, event)| &event["file_id"]).collect();
    assert_eq!(ids, [&first["file_id"], &second["file_id"]]);
    let again = read_stream(&server, &events[0].0, 1).await;
    assert_eq!(again[0], events[1]);
}

/// The first events of the stream after `last`, with their ids.
async fn read_stream(server: &Server, last: &str, count: usize) -> Vec<(String, Value)> {
    let call = server
        .admin()
        .get("/events/stream?type=file.uploaded")
        .header("last-event-id", last);
    let mut response = call.open().await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    loop {
        let events: Vec<(String, Value)> = text.split("\n\n").filter_map(event).collect();
        if events.len() >= count {
            return events;
        }
        let chunk = tokio::time::timeout(PATIENCE, response.chunk())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

fn event(block: &str) -> Option<(String, Value)> {
    let field = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    };
    Some((
        field("id:")?.to_owned(),
        serde_json::from_str(field("data:")?).ok()?,
    ))
}

#[tokio::test]
async fn tenants_do_not_see_each_others_events() {
    let server = Server::start().await;
    let other = server.tenant("bolt").await;
    let mine = server.admin().upload("/e/a", b"a").await;
    let theirs = other.upload("/e/a", b"b").await;
    for (caller, own, foreign) in [(server.admin(), &mine, &theirs), (other, &theirs, &mine)] {
        let call = caller
            .get("/events?after=0&type=file.uploaded&wait=10")
            .timeout(Duration::from_mins(1));
        let page = call.send().await.is(200).json();
        assert_eq!(page["data"][0]["file_id"], own["file_id"], "{page}");
        assert!(
            !page
                .to_string()
                .contains(foreign["file_id"].as_str().unwrap())
        );
    }
}

#[tokio::test]
async fn the_catalogue_names_every_type_that_can_be_subscribed() {
    let server = Server::start().await;
    let admin = server.admin();
    let catalogue = admin.get("/events/types").send().await.is(200).json();
    for kind in catalogue["data"].as_array().unwrap() {
        assert!(!kind["description"].as_str().unwrap().is_empty());
        let wish = json!({"url": "https://example.com/hook", "types": [kind["type"]]});
        admin.post("/webhooks").json(&wish).send().await.is(201);
    }
    admin
        .get("/events?type=file.renamed")
        .send()
        .await
        .problem(400, "invalid_parameter");
}
