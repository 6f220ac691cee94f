//! Whom channels are kept from, and what they cannot be.

use serde_json::json;

use super::Channel;
use crate::kit::Server;

#[tokio::test]
async fn channels_are_kept_apart_and_bounded() {
    let server = Server::start().await;
    let owner = server.admin();
    let channel = Channel::make(&owner, json!({"name": "c", "folder": "/c"})).await;
    let subscriber = channel
        .subscribe(json!({"name": "s", "destination": "/d/"}))
        .await;
    let stranger = server.tenant("stranger").await;
    for path in [&channel.path, &subscriber] {
        stranger.get(path).send().await.problem(404, "not_found");
    }
    let reader = owner.scoped(&["flows:read", "files:read"]).await;
    reader.get(&subscriber).send().await.is(200);
    let pause = json!({"state": "paused"});
    reader
        .patch(&channel.path)
        .json(&pause)
        .send()
        .await
        .problem(403, "insufficient_scope");
    let wish = json!({"name": "bound", "scopes": ["flows:read"], "path_prefixes": ["/elsewhere"]});
    let bound = owner.new_key(wish).await;
    let bound = owner.with_key(bound["api_key"].as_str().unwrap());
    bound
        .get(&channel.path)
        .send()
        .await
        .problem(404, "not_found");
    assert!(bound.all("/channels?limit=50").await.is_empty());

    owner.delete(&channel.path).send().await.is(204);
    owner
        .get(&subscriber)
        .send()
        .await
        .problem(404, "not_found");
    owner.records("operation=channels.delete").await;
}

#[tokio::test]
async fn what_a_channel_cannot_be_is_told_by_its_field() {
    let server = Server::start().await;
    let owner = server.admin();
    let channel = Channel::make(&owner, json!({"name": "c", "folder": "/c"})).await;
    let subscriber = channel
        .subscribe(json!({"name": "s", "destination": "/d/"}))
        .await;
    let subscribe = format!("{}/subscribers", channel.path);
    let replay = format!("{subscriber}/replay");
    for (path, wish, pointer) in [
        ("/channels", json!({"name": "No", "folder": "/x"}), "#/name"),
        (
            "/channels",
            json!({"name": "x", "folder": "/x", "include": ["/a"]}),
            "#/include/0",
        ),
        (&subscribe, json!({"name": "x"}), "#/destination"),
        (
            &subscribe,
            json!({"name": "x", "destination": "/file"}),
            "#/destination",
        ),
        (
            &subscribe,
            json!({"name": "x", "webhook_id": "whk_01m7yp4nesedqrb018tr4sjm6r"}),
            "#/webhook_id",
        ),
        (&replay, json!({}), "#/which"),
        (&replay, json!({"which": "some"}), "#/which"),
        (
            &replay,
            json!({"file_id": "fil_01m7yp4jy0emq8k9w39qsaekf4"}),
            "#/file_id",
        ),
    ] {
        let refused = owner.post(path).json(&wish).send().await;
        let refused = refused.problem(422, "validation_failed");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{wish}");
    }
    for (path, wish) in [
        ("/channels", json!({"name": "c", "folder": "/other"})),
        (&subscribe, json!({"name": "s", "destination": "/e/"})),
    ] {
        owner
            .post(path)
            .json(&wish)
            .send()
            .await
            .problem(409, "name_taken");
    }
    let stale = owner.patch(&channel.path).header("if-match", "\"9\"");
    stale
        .json(&json!({"state": "paused"}))
        .send()
        .await
        .problem(412, "etag_mismatch");
}
