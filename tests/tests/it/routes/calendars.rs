//! `/calendars`.

use serde_json::{Value, json};

use crate::kit::{Api, Server};

async fn make(admin: &Api, wish: &Value) -> Value {
    admin
        .post("/calendars")
        .json(wish)
        .send()
        .await
        .is(201)
        .json()
}

fn own(calendar: &Value) -> String {
    format!("/calendars/{}", calendar["calendar_id"].as_str().unwrap())
}

#[tokio::test]
async fn a_calendar_is_made_changed_and_removed() {
    let server = Server::start().await;
    let admin = server.admin();
    let wish =
        json!({"name": "frankfurt", "holidays": [{"date": "*-12-25", "name": "Christmas Day"}]});
    let made = make(&admin, &wish).await;
    assert_eq!(
        made["working_days"],
        json!(["mon", "tue", "wed", "thu", "fri"])
    );
    assert_eq!(made["holidays"][0]["date"], "*-12-25");
    let again = admin.post("/calendars").json(&wish).send().await;
    again.problem(409, "name_taken");
    let read = admin.get(&own(&made)).send().await;
    assert_eq!(read.is(200).json(), made);
    let wish = json!({"name": "dubai", "working_days": ["sun", "mon"]});
    let stale = admin
        .put(&own(&made))
        .header("if-match", "\"7\"")
        .json(&wish)
        .send()
        .await;
    stale.problem(412, "etag_mismatch");
    let etag = read.header("etag").to_owned();
    let changed = admin
        .put(&own(&made))
        .header("if-match", &etag)
        .json(&wish)
        .send()
        .await;
    let changed = changed.is(200).json();
    assert_eq!(
        (&changed["name"], &changed["working_days"]),
        (&json!("dubai"), &json!(["mon", "sun"]))
    );
    assert_eq!(admin.all("/calendars?limit=10").await, [changed]);
    let other = server.tenant("bolt").await;
    other
        .get(&own(&made))
        .send()
        .await
        .problem(404, "not_found");
    other
        .put(&own(&made))
        .json(&wish)
        .send()
        .await
        .problem(404, "not_found");
    let reader = admin.scoped(&["flows:read"]).await;
    reader.get(&own(&made)).send().await.is(200);
    reader
        .delete(&own(&made))
        .send()
        .await
        .problem(403, "insufficient_scope");
    admin.delete(&own(&made)).send().await.is(204);
    admin
        .get(&own(&made))
        .send()
        .await
        .problem(404, "not_found");
    let record = admin.records_from(2, "operation=calendars.delete").await;
    assert_eq!(
        (&record[0]["status"], &record[1]["status"]),
        (&json!("success"), &json!("denied"))
    );
}

#[tokio::test]
async fn impossible_calendars_are_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    let holiday = |date: &str| json!({"name": "a", "holidays": [{"date": "2026-01-01", "name": "b"}, {"date": date, "name": "c"}]});
    for (wish, pointer) in [
        (json!({"name": ""}), "#/name"),
        (json!({"name": "a", "working_days": []}), "#/working_days"),
        (
            json!({"name": "a", "working_days": ["monday"]}),
            "#/working_days",
        ),
        (holiday("2026-02-30"), "#/holidays/1/date"),
        (holiday("12-25"), "#/holidays/1/date"),
    ] {
        let refused = admin.post("/calendars").json(&wish).send().await;
        let problem = refused.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{wish}");
    }
}

#[tokio::test]
async fn a_changed_calendar_moves_the_times_of_its_schedules() {
    let server = Server::start().await;
    let admin = server.admin();
    let calendar = make(
        &admin,
        &json!({"name": "all", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}),
    )
    .await;
    let wish = json!({
        "name": "daily", "cron": "0 0 * * *", "calendar_id": calendar["calendar_id"], "day_rule": "business_days",
        "transfer": {"source": "/a/", "destination": "/b/"},
    });
    let schedule = admin
        .post("/schedules")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    let first = schedule["next_at"].as_str().unwrap().to_owned();
    let day = first.split('T').next().unwrap();
    let free = json!({"name": "all", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "holidays": [{"date": day, "name": "free"}]});
    admin.put(&own(&calendar)).json(&free).send().await.is(200);
    let path = format!("/schedules/{}", schedule["schedule_id"].as_str().unwrap());
    let moved = admin.get(&path).send().await.is(200).json();
    assert!(
        moved["next_at"].as_str().unwrap() > first.as_str(),
        "{moved}"
    );
    // What a schedule follows stays.
    admin
        .delete(&own(&calendar))
        .send()
        .await
        .problem(409, "in_use");
    admin.delete(&path).send().await.is(204);
    admin.delete(&own(&calendar)).send().await.is(204);
}
