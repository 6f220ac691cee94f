//! `/events`: feed, stream, catalogue.

use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::{Value, json};

use crate::kit::{Call, LOOK_EVERY, Options, PATIENCE, Server};

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

#[tokio::test]
async fn a_stream_tells_where_it_begins_and_how_far_it_came_without_events() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/e/1", b"1").await;
    let newest = admin
        .get("/events?after=0&type=file.uploaded&wait=10")
        .send()
        .await
        .is(200)
        .json();
    let uploaded = newest["data"][0]["sequence"].as_u64().unwrap();
    for path in ["/events/stream", "/events/stream?after=0&type=file.deleted"] {
        let mut response = admin.get(path).open().await;
        let first = tokio::time::timeout(PATIENCE, response.chunk()).await;
        let first = first.unwrap().unwrap().unwrap();
        let first = std::str::from_utf8(&first).unwrap();
        let position = first.strip_prefix("id: ").unwrap().strip_suffix("\n\n");
        assert!(position.unwrap().parse::<u64>().unwrap() >= uploaded);
    }
}

/// The first events of the stream after `last`, with their ids.
async fn read_stream(server: &Server, last: &str, count: usize) -> Vec<(String, Value)> {
    let call = server
        .admin()
        .get("/events/stream?type=file.uploaded")
        .header("last-event-id", last);
    read(call, count).await
}

/// The first events of a stream, with their ids.
async fn read(call: Call, count: usize) -> Vec<(String, Value)> {
    let response = call.open().await;
    assert_eq!(response.status(), 200);
    take(response, count).await
}

async fn take(mut response: Response, count: usize) -> Vec<(String, Value)> {
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
async fn feed_and_stream_can_be_bound_to_a_folder() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/in_/a", b"1").await;
    admin.upload("/inx/a", b"2").await;
    let wanted = admin.upload("/in/deep/a", b"3").await;
    let path = "/events?after=0&type=file.*&path_prefix=/in&wait=10";
    let page = admin.get(path).send().await.is(200).json();
    let ids: Vec<&Value> = page["data"].as_array().unwrap().iter().collect();
    assert_eq!(ids.len(), 1, "{page}");
    assert_eq!(ids[0]["file_id"], wanted["file_id"]);
    assert!(page["next_after"].as_u64().unwrap() >= ids[0]["sequence"].as_u64().unwrap());
    let stream = "/events/stream?after=0&path_prefix=in";
    let events = read(admin.get(stream), 1).await;
    assert_eq!(events[0].1["file_id"], wanted["file_id"]);
    let outside = admin.get("/events?path_prefix=/../x").send().await;
    outside.problem(400, "invalid_path");
}

#[tokio::test]
async fn one_event_is_read_by_its_id() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.upload("/e/a", b"a").await;
    let page = "/events?after=0&type=file.uploaded&wait=10";
    let page = admin.get(page).send().await.is(200).json();
    let event = &page["data"][0];
    let path = format!("/events/{}", event["event_id"].as_str().unwrap());
    assert_eq!(&admin.get(&path).send().await.is(200).json(), event);
    let other = server.tenant("bolt").await;
    other.get(&path).send().await.problem(404, "not_found");
    admin
        .post("/folders")
        .json(&json!({"path": "/f"}))
        .send()
        .await
        .is(201);
    let record = admin.records("operation=folders.create").await.remove(0);
    let id = record["audit_id"].as_str().unwrap().replace("aud_", "evt_");
    let hidden = admin.get(&format!("/events/{id}")).send().await;
    hidden.problem(404, "not_found");
}

#[tokio::test]
async fn a_reader_that_takes_nothing_misses_nothing() {
    let server = Server::start().await;
    let admin = server.admin();
    let call = admin.get("/events/stream?after=0&type=file.uploaded");
    let response = call.open().await;
    let mut uploaded = Vec::new();
    for number in 0..130 {
        let file = admin.upload(&format!("/e/{number}"), b"x").await;
        uploaded.push(file["file_id"].clone());
    }
    let events = take(response, uploaded.len()).await;
    let seen: Vec<Value> = events
        .iter()
        .map(|(_, event)| event["file_id"].clone())
        .collect();
    assert_eq!(seen, uploaded);
}

#[tokio::test]
async fn a_stop_ends_streams_and_long_polls_at_an_end_of_message() {
    let server = Server::start().await;
    let admin = server.admin();
    let stream = admin.get("/events/stream").open().await;
    let newest = admin.get("/events?limit=1").send().await.is(200).json();
    let after = newest["next_after"].as_u64().unwrap() + 1_000;
    let poll = tokio::spawn({
        let call = admin.get(&format!("/events?after={after}&wait=60"));
        async move { call.send().await }
    });
    let streamed = tokio::spawn(async move { stream.bytes().await });
    // Both are surely held once the server has answered another request after them.
    admin.get("/events?limit=1").send().await.is(200);
    let begun = Instant::now();
    drop(server);
    assert!(begun.elapsed() < PATIENCE, "a held reader held up the stop");
    streamed.await.unwrap().unwrap();
    let polled = poll.await.unwrap();
    assert!(matches!(polled.status, 200 | 503));
}

#[tokio::test]
async fn whoever_stood_still_for_too_long_is_told_where_to_go_on() {
    let options = Options::new().set("events.kept_seconds", 1);
    let server = options.start().await;
    let admin = server.admin();
    admin.upload("/e/a", b"a").await;
    let begun = Instant::now();
    let problem = loop {
        let answer = admin.get("/events?after=0").send().await;
        if answer.status != 200 {
            break answer.problem(410, "events_expired");
        }
        assert!(begun.elapsed() < PATIENCE, "nothing expires");
        tokio::time::sleep(LOOK_EVERY * 4).await;
    };
    let oldest = problem["oldest_sequence"].as_u64().unwrap();
    assert!(oldest > 1, "{problem}");
    let stream = admin.get("/events/stream").header("last-event-id", "0");
    stream.send().await.problem(410, "events_expired");
    // The journal keeps what the feed does not.
    let records = admin.records("operation=files.upload").await;
    assert_eq!(records.len(), 1);
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
        assert_eq!(kind["example"]["type"], kind["type"]);
        let wish = json!({"url": "https://example.com/hook", "types": [kind["type"]]});
        admin.post("/webhooks").json(&wish).send().await.is(201);
    }
    admin
        .get("/events?type=file.renamed")
        .send()
        .await
        .problem(400, "invalid_parameter");
}
