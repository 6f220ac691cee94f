//! A stream of events that is cut goes on where it was.

use bailee_client::{Error, EventQuery};
use serde_json::json;

use crate::client;
use crate::server::start;

fn event(sequence: u64) -> String {
    let body = json!({"type": "ping", "timestamp": "2026-11-21T09:14:00.000Z", "sequence": sequence,
        "event_id": "evt_01m7yp4jy0emq8k9w39qsaekf4", "tenant_id": "ten_01m7yp4jy0emq8k9w39qsaekf4",
        "transfer_id": null, "file_id": null, "webhook_id": null, "status": "success", "data": {}});
    format!("id: {sequence}\ndata: {body}\n\n")
}

#[tokio::test]
async fn a_cut_stream_loses_nothing_and_doubles_nothing() {
    let server = start().await;
    let half = event(5).split_at(40).0.to_owned();
    server.facts.lock().unwrap().streams = [
        [event(3), ": still here\n\n".to_owned(), event(4), half].concat(),
        String::new(),
        // What comes again is known already; what is told without an event is a place to go on from.
        [event(4), event(5), "id: 9\n\n".to_owned()].concat(),
        event(12),
    ]
    .into();
    let client = client(&server);
    let query = EventQuery {
        after: Some(2),
        ..EventQuery::default()
    };
    let mut stream = client.events().follow(query).await.unwrap();
    for wanted in [3, 4, 5, 12] {
        assert_eq!(stream.next().await.unwrap().sequence, wanted);
    }
    // What no other try mends ends it.
    let error = stream.next().await.unwrap_err();
    assert!(matches!(error, Error::Api { status: 410, .. }), "{error}");
    let resumed = server.facts.lock().unwrap().resumed.join(" ");
    assert_eq!(resumed, "2 4 4 9 12");
}
