//! Bad input that is the same everywhere: paths, fields, types, sizes, framing.

use reqwest::Method;
use serde_json::json;

use crate::kit::{Form, Raw, Server};

/// Spellings of something outside, or of nothing that can be a name.
const BAD_PATHS: [&str; 14] = [
    "../etc/passwd",
    "/../etc/passwd",
    "a/../../b",
    "a/./b",
    "a//b",
    "/a/..",
    "a\\b",
    "..\\..\\a",
    "a\0b",
    "a\nb",
    "a\u{7f}b",
    "a\u{85}b",
    "\u{1b}[2Ja",
    "",
];

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn a_bad_path_is_400_at_every_door() {
    let server = Server::start().await;
    let admin = server.admin();
    let file = admin.upload("/good/a", b"a").await;
    let own = format!("/files/{}", file["file_id"].as_str().unwrap());
    for path in BAD_PATHS {
        let query = encoded(path);
        let calls = [
            admin.get(&format!("/files/lookup?path={query}")),
            admin.get(&format!("/files/content?path={query}")),
            admin.put(&format!("/files/content?path={query}")).body("x"),
            admin.delete(&format!("/files/content?path={query}")),
            admin
                .post(&format!("{own}/copy"))
                .json(&json!({"path": path})),
            admin.patch(&own).json(&json!({"path": path})),
        ];
        for (at, call) in calls.into_iter().enumerate() {
            let answer = call.send().await;
            assert_eq!(
                answer.status, 400,
                "{path:?} at door {at}: {:?}",
                answer.body
            );
            answer.problem(400, "invalid_path");
        }
        if path.is_empty() {
            continue; // the root is a folder
        }
        let calls = [
            admin.post("/folders").json(&json!({"path": path})),
            admin.get(&format!("/folders?path={query}")),
            admin.get(&format!("/folders/children?path={query}")),
            admin.delete(&format!("/folders?path={query}&recursive=true")),
            admin
                .post("/uploads")
                .json(&json!({"destination": path, "filename": "f"})),
            admin
                .post("/transfers")
                .json(&json!({"source": "/good/a", "destination": {"path": path}})),
        ];
        for (at, call) in calls.into_iter().enumerate() {
            let answer = call.send().await;
            assert_eq!(
                answer.status, 400,
                "{path:?} at folder door {at}: {:?}",
                answer.body
            );
        }
    }
    let names: Vec<_> = admin
        .all("/files?limit=50")
        .await
        .iter()
        .map(|row| row["path"].clone())
        .collect();
    assert_eq!(names, ["/good/a"]);
}

#[tokio::test]
async fn a_form_cannot_smuggle_a_path_in_its_file_name() {
    let server = Server::start().await;
    let admin = server.admin();
    for name in ["../a", "a/b", "..", ".", "a\\b", "/etc/passwd"] {
        let answer = Form::new()
            .text("destination", "f")
            .file(name, b"x")
            .upload(&admin)
            .await;
        assert!(
            [400, 422].contains(&answer.status),
            "{name}: {}",
            answer.status
        );
    }
    for folder in ["../f", "f/../..", "f\\g"] {
        let answer = Form::new()
            .text("destination", folder)
            .file("a", b"x")
            .upload(&admin)
            .await;
        answer.problem(400, "invalid_path");
        let answer = Form::new()
            .file("a", b"x")
            .text("destination", folder)
            .upload(&admin)
            .await;
        answer.problem(400, "invalid_path");
    }
    // Two dots inside a name are a name.
    Form::new()
        .text("destination", "f")
        .file("a..b", b"x")
        .upload(&admin)
        .await
        .is(201);
    assert_eq!(admin.all("/files?limit=50").await.len(), 1);
}

#[tokio::test]
async fn one_path_has_one_normal_form() {
    let server = Server::start().await;
    let admin = server.admin();
    // The same letter, composed and decomposed.
    let file = admin.upload("/n/caf\u{e9}.txt", b"x").await;
    let decomposed = encoded("/n/cafe\u{301}.txt");
    let found = admin
        .get(&format!("/files/lookup?path={decomposed}"))
        .send()
        .await
        .is(200)
        .json();
    assert_eq!(found["file_id"], file["file_id"]);
    for path in ["n/caf%C3%A9.txt", "/n/caf%C3%A9.txt"] {
        admin
            .get(&format!("/files/lookup?path={path}"))
            .send()
            .await
            .is(200);
    }
}

#[tokio::test]
async fn names_have_a_longest() {
    let server = Server::start().await;
    let admin = server.admin();
    let put = |path: String| {
        admin
            .put(&format!("/files/content?path={}", encoded(&path)))
            .body("x")
    };
    put(format!("/{}", "n".repeat(255))).send().await.is(201);
    for path in [
        format!("/{}", "n".repeat(256)),
        format!("/{}x", "d/".repeat(70)),
        format!("/{}x", "dddddddd/".repeat(500)),
    ] {
        let answer = put(path).send().await;
        assert!([400, 422].contains(&answer.status), "{}", answer.status);
    }
}

#[tokio::test]
async fn unknown_parameters_and_fields_are_named() {
    let server = Server::start().await;
    let admin = server.admin();
    let problem = admin
        .get("/files?path_prefx=/a")
        .send()
        .await
        .problem(400, "unknown_parameter");
    assert_eq!(problem["errors"][0]["pointer"], "#/path_prefx");
    assert!(
        problem["detail"].as_str().unwrap().contains("path_prefix"),
        "{problem}"
    );
    let wish = json!({"destination": "a", "filename": "b", "overwite": true});
    let problem = admin
        .post("/uploads")
        .json(&wish)
        .send()
        .await
        .problem(422, "unknown_field");
    assert_eq!(problem["errors"][0]["pointer"], "#/overwite");
    let wish = json!({"destination": "a", "filename": "b", "tags": ["x", 3]});
    let problem = admin
        .post("/uploads")
        .json(&wish)
        .send()
        .await
        .problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["pointer"], "#/tags/1");
    for bad in [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=x",
        "limit=1&limit=2",
    ] {
        admin
            .get(&format!("/files?{bad}"))
            .send()
            .await
            .problem(400, "invalid_parameter");
    }
    admin
        .get("/files?created_after=yesterday")
        .send()
        .await
        .problem(400, "invalid_parameter");
    admin
        .get("/files/lookup")
        .send()
        .await
        .problem(400, "invalid_parameter");
}

#[tokio::test]
async fn bodies_of_the_wrong_kind_are_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    let post = |kind: &str, body: &str| {
        admin
            .post("/folders")
            .header("content-type", kind)
            .body(body.to_owned())
            .send()
    };
    post("text/plain", "{}")
        .await
        .problem(415, "unsupported_media_type");
    post("application/x-www-form-urlencoded", "path=a")
        .await
        .problem(415, "unsupported_media_type");
    post("application/json", "{\"path\":")
        .await
        .problem(400, "malformed_request");
    post("application/json", "[]").await.is(422);
    post("application/json", "{\"path\": 7}")
        .await
        .problem(422, "validation_failed");
    post("application/json", "{}")
        .await
        .problem(422, "validation_failed");
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = post("application/json", &nested).await;
    assert!([400, 422].contains(&deep.status), "{}", deep.status);
    let large = post(
        "application/json",
        &format!("{{\"path\":\"{}\"}}", "a".repeat(2 << 20)),
    )
    .await;
    large.problem(413, "body_too_large");
    let coded = admin
        .post("/folders")
        .header("content-encoding", "gzip")
        .json(&json!({"path": "/a"}));
    let coded = coded.send().await;
    coded.problem(415, "unsupported_content_coding");
    let coded = admin
        .put("/files/content?path=/a")
        .header("content-encoding", "gzip")
        .body("x");
    coded
        .send()
        .await
        .problem(415, "unsupported_content_coding");
    let stuffed = admin.get("/files").header("x-trace", &"t".repeat(40_000));
    stuffed.send().await.problem(431, "headers_too_large");
    admin
        .post("/files/upload")
        .json(&json!({}))
        .send()
        .await
        .problem(415, "unsupported_media_type");
    let form = admin
        .post("/files/upload")
        .header("content-type", "multipart/form-data")
        .body("x")
        .send()
        .await;
    assert!([400, 415].contains(&form.status), "{}", form.status);
    assert!(admin.all("/files?limit=50").await.is_empty());
}

#[tokio::test]
async fn ids_of_no_possible_object_are_404() {
    let server = Server::start().await;
    let admin = server.admin();
    let ids = [
        "x",
        "fil_",
        "fil_01m7yp4jy0emq8k9w39qsaekf",
        "FIL_01m7yp4jy0emq8k9w39qsaekf4",
        "upl_01m7yp4jy0emq8k9w39qsaekf4",
        "%00",
        "..%2f..",
        "fil_%F0%9F%98%80",
    ];
    for id in ids {
        let answer = admin
            .at(Method::GET, &format!("/v1/files/{id}"))
            .send()
            .await;
        answer.problem(404, "not_found");
    }
}

#[tokio::test]
async fn credentials_are_asked_for_before_anything_is_read() {
    let server = Server::start().await;
    let nobody = server.admin().nobody();
    let calls = [
        nobody.get("/files/nonsense"),
        nobody.get("/files?nonsense=1"),
        nobody
            .post("/folders")
            .header("content-type", "text/plain")
            .body("x"),
        nobody.put("/files/content?path=/../a").body("x"),
        nobody.post("/files/upload").body("x"),
    ];
    for call in calls {
        call.send().await.problem(401, "credential_missing");
    }
}

#[tokio::test]
async fn oversize_heads_and_broken_framing_are_refused() {
    let server = Server::start().await;
    let admin = server.admin();
    let head = format!(
        "Host: localhost\r\nAuthorization: Bearer {}\r\n",
        admin.key()
    );
    let cases = [
        (
            format!(
                "GET /v1/files HTTP/1.1\r\n{head}X-Long: {}\r\n\r\n",
                "x".repeat(100_000)
            ),
            "431",
        ),
        (
            format!(
                "GET /v1/files?q={} HTTP/1.1\r\n{head}\r\n",
                "x".repeat(100_000)
            ),
            "4",
        ),
        (
            format!(
                "POST /v1/folders HTTP/1.1\r\n{head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"
            ),
            "400",
        ),
        (
            format!("POST /v1/folders HTTP/1.1\r\n{head}Content-Length: -2\r\n\r\n{{}}"),
            "400",
        ),
        (
            format!("GET /v1/files HTTP/1.1\r\n{head}Bad Header: x\r\n\r\n"),
            "400",
        ),
        (
            format!("GET /v1/files HTTP/1.1\r\n{head} folded: x\r\n\r\n"),
            "400",
        ),
        ("GARBAGE\r\n\r\n".to_owned(), "400"),
    ];
    for (request, status) in cases {
        let mut raw = Raw::connect(&server).await;
        raw.send(request.as_bytes()).await;
        let answer = raw.rest().await;
        let shown: String = request.chars().take(60).collect();
        let line = answer.lines().next().unwrap_or_default();
        // A request that cannot be read at all may also just lose its connection.
        assert!(
            line.is_empty() || line.contains(&format!(" {status}")),
            "{shown}: {line}"
        );
    }
    admin.get("/files").send().await.is(200);
}

#[tokio::test]
async fn a_body_with_two_lengths_is_refused_and_ends_the_connection() {
    let server = Server::start().await;
    let admin = server.admin();
    let head = format!(
        "Host: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n",
        admin.key()
    );
    let body = "10\r\n{\"path\":\"/both\"}\r\n0\r\n\r\n";
    let smuggled = format!("GET /v1/files HTTP/1.1\r\n{head}\r\n");
    for lengths in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ] {
        let mut raw = Raw::connect(&server).await;
        let request = format!("POST /v1/folders HTTP/1.1\r\n{head}{lengths}\r\n{body}{smuggled}");
        raw.send(request.as_bytes()).await;
        let answer = raw.rest().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("malformed_request"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
    admin.get("/folders?path=/both").send().await.is(404);
}
