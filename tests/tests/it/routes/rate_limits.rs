//! Rate limits: the right answer when there are too many requests, and going on afterwards.

use std::time::Duration;

use serde_json::json;

use crate::kit::{Options, Server};

#[tokio::test]
async fn a_flooded_route_answers_429_and_goes_on_after_the_wait() {
    let server = Options::new()
        .set("rate_limits.read", 20)
        .set("rate_limits.window_seconds", 6)
        .start()
        .await;
    let reader = server.admin().scoped(&["files:read"]).await;
    let mut refused = None;
    for _ in 0..40 {
        let answer = reader.get("/files").send().await;
        assert_eq!(answer.header("ratelimit-policy"), "\"read\";q=20;w=6");
        assert!(answer.header("ratelimit").starts_with("\"read\";r="));
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        answer.is(200);
    }
    let refused = refused.unwrap();
    let problem = refused.problem(429, "rate_limited");
    assert_eq!(problem["violated_policies"], json!(["read"]));
    assert_eq!(problem["retryable"], true);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=7).contains(&wait), "{wait}");
    assert_eq!(problem["retry_after"], wait);
    // What is counted apart goes on meanwhile.
    server.admin().get("/files").send().await.is(200);
    tokio::time::sleep(Duration::from_secs(wait)).await;
    reader.get("/files").send().await.is(200);
}

#[tokio::test]
async fn a_key_may_have_limits_of_its_own() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish = json!({"name": "slow", "scopes": ["files:read", "files:write"], "limits": {"reads_per_minute": 2, "writes_per_minute": 1}});
    let slow = admin.with_key(admin.new_key(wish).await["api_key"].as_str().unwrap());
    slow.put("/files/content?path=/a")
        .body("a")
        .send()
        .await
        .is(201);
    slow.put("/files/content?path=/a")
        .body("b")
        .send()
        .await
        .problem(429, "rate_limited");
    slow.get("/files").send().await.is(200);
    slow.get("/files").send().await.is(200);
    slow.get("/files").send().await.problem(429, "rate_limited");
    // Bytes are counted as bytes, not as requests.
    for _ in 0..5 {
        slow.get("/files/content?path=/a").send().await.is(200);
    }
}

#[tokio::test]
async fn guessing_keys_is_stopped() {
    let server = Options::new()
        .set("rate_limits.auth", 5)
        .set("rate_limits.window_seconds", 6)
        .start()
        .await;
    let admin = server.admin();
    let guesser = admin.with_key("bailee_dev_guess");
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(guesser.get("/files").send().await.status);
    }
    assert_eq!(statuses[..5], [401; 5]);
    assert_eq!(statuses[5..], [429; 3]);
    // Good keys of this address wait too, so the window has to pass before the server is looked at.
    tokio::time::sleep(Duration::from_secs(7)).await;
    admin.get("/files").send().await.is(200);
}
