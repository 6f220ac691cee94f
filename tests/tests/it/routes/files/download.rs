//! Downloads: whole, in part, conditional; and never a wrong byte in the body.

use crate::kit::{Answer, Api, Server, pattern, sha256, sha256_base64};

struct Stored {
    admin: Api,
    path: String,
    content: Vec<u8>,
}

async fn store(server: &Server, content: Vec<u8>) -> Stored {
    let admin = server.admin();
    let file = admin.upload("/d/report.csv", &content).await;
    let path = format!("/files/{}/download", file["file_id"].as_str().unwrap());
    Stored {
        admin,
        path,
        content,
    }
}

impl Stored {
    async fn range(&self, range: &str) -> Answer {
        self.admin
            .get(&self.path)
            .header("range", range)
            .send()
            .await
    }
}

#[tokio::test]
async fn a_whole_download_has_exact_headers() {
    let server = Server::start().await;
    let stored = store(&server, pattern(1, 200_000)).await;
    let hash = sha256(&stored.content);
    let encodings = ["identity", "gzip", "gzip, deflate, br"];
    for encoding in encodings {
        let get = stored
            .admin
            .get(&stored.path)
            .header("accept-encoding", encoding)
            .send()
            .await;
        assert_eq!(get.is(200).body, stored.content);
        let head = stored
            .admin
            .head(&stored.path)
            .header("accept-encoding", encoding)
            .send()
            .await;
        assert!(head.is(200).body.is_empty());
        for answer in [get, head] {
            assert_eq!(answer.header("content-length"), "200000");
            assert_eq!(answer.header("content-type"), "text/csv");
            assert_eq!(answer.header("accept-ranges"), "bytes");
            assert_eq!(answer.header("etag"), format!("\"{hash}\""));
            assert_eq!(answer.header("repr-digest"), sha256_base64(&stored.content));
            assert_eq!(answer.header("cache-control"), "private, no-transform");
            assert!(
                answer
                    .header("content-disposition")
                    .starts_with("attachment; filename=\"report.csv\"")
            );
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert!(answer.header("content-security-policy").contains("sandbox"));
            assert_eq!(answer.header("content-encoding"), "");
            assert!(!answer.header("last-modified").is_empty());
        }
    }
}

#[tokio::test]
async fn single_ranges_are_206_with_exact_bytes() {
    let server = Server::start().await;
    for size in [26_usize, 65_536, 65_537, 1_000_003] {
        let admin = server.admin();
        let content = pattern(size as u64, size);
        let file = admin.upload(&format!("/r/{size}"), &content).await;
        let path = format!("/files/{}/download", file["file_id"].as_str().unwrap());
        let stored = Stored {
            admin,
            path,
            content,
        };
        let last = size - 1;
        let cases = [
            ("bytes=0-".to_owned(), 0, last),
            ("bytes=20-".to_owned(), 20, last),
            (format!("bytes={last}-"), last, last),
            ("bytes=3-7".to_owned(), 3, 7),
            (format!("bytes=5-{}", size * 2), 5, last),
            ("bytes=-6".to_owned(), size - 6, last),
            (format!("bytes=-{}", size + 5), 0, last),
        ];
        for (range, first, end) in cases {
            let answer = stored.range(&range).await;
            answer.is(206);
            assert_eq!(
                answer.header("content-range"),
                format!("bytes {first}-{end}/{size}")
            );
            assert_eq!(
                answer.header("content-length"),
                (end - first + 1).to_string()
            );
            assert_eq!(
                answer.body,
                stored.content[first..=end],
                "{range} of {size}"
            );
            assert_eq!(answer.header("repr-digest"), sha256_base64(&stored.content));
        }
    }
}

#[tokio::test]
async fn a_range_outside_is_416_with_an_empty_body() {
    let server = Server::start().await;
    let stored = store(&server, pattern(1, 26)).await;
    for range in ["bytes=26-", "bytes=100-200", "bytes=-0"] {
        let answer = stored.range(range).await;
        assert!(answer.is(416).body.is_empty(), "{range}");
        assert_eq!(answer.header("content-length"), "0");
        assert_eq!(answer.header("content-range"), "bytes */26");
        assert_eq!(answer.header("bailee-problem"), "range_not_satisfiable");
    }
    let empty = stored.admin.upload("/d/empty", b"").await;
    let path = format!("/files/{}/download", empty["file_id"].as_str().unwrap());
    let answer = stored
        .admin
        .get(&path)
        .header("range", "bytes=0-")
        .send()
        .await;
    assert!(answer.is(416).body.is_empty());
    assert_eq!(answer.header("content-range"), "bytes */0");
    assert!(stored.admin.get(&path).send().await.is(200).body.is_empty());
}

#[tokio::test]
async fn a_range_of_another_unit_is_ignored_and_a_senseless_one_refused() {
    let server = Server::start().await;
    let stored = store(&server, pattern(1, 100)).await;
    let answer = stored.range("lines=1-2").await;
    assert_eq!(answer.is(200).body, stored.content);
    // RFC 9110, 14.2 leaves it to the server to ignore or to reject these; rejected, the body stays empty.
    for range in ["bytes=", "bytes=a-b", "bytes=7-3", "bytes 0-5"] {
        let answer = stored.range(range).await;
        assert!(answer.is(400).body.is_empty(), "{range}");
        assert_eq!(answer.header("bailee-problem"), "malformed_request");
    }
}

#[tokio::test]
async fn several_ranges_come_as_parts() {
    let server = Server::start().await;
    let stored = store(&server, pattern(8, 300_000)).await;
    let answer = stored.range("bytes=0-9,100000-100019,-5").await;
    answer.is(206);
    let kind = answer.header("content-type");
    let boundary = kind
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap()
        .trim_matches('"');
    assert_eq!(
        answer.header("content-length"),
        answer.body.len().to_string()
    );
    let mut rest = &answer.body[..];
    for (first, last) in [(0, 9), (100_000, 100_019), (299_995, 299_999)] {
        let head_end = find(rest, b"\r\n\r\n").unwrap();
        let head = String::from_utf8(rest[..head_end].to_vec()).unwrap();
        assert!(head.contains(&format!("--{boundary}")), "{head}");
        let shown = format!("content-range: bytes {first}-{last}/300000");
        assert!(head.to_lowercase().contains(&shown), "{head}");
        rest = &rest[head_end + 4..];
        assert_eq!(rest[..=(last - first)], stored.content[first..=last]);
        rest = &rest[last - first + 1..];
    }
    assert_eq!(rest, format!("\r\n--{boundary}--\r\n").as_bytes());
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

#[tokio::test]
async fn if_range_decides_between_part_and_whole() {
    let server = Server::start().await;
    let stored = store(&server, pattern(1, 1000)).await;
    let etag = format!("\"{}\"", sha256(&stored.content));
    let ranged = |tag: &str| {
        stored
            .admin
            .get(&stored.path)
            .header("range", "bytes=10-")
            .header("if-range", tag)
            .send()
    };
    assert_eq!(ranged(&etag).await.is(206).body, stored.content[10..]);
    assert_eq!(ranged("\"other\"").await.is(200).body, stored.content);
    assert_eq!(
        ranged(&format!("W/{etag}")).await.is(200).body,
        stored.content
    );
    assert_eq!(
        ranged("Sun, 06 Nov 1994 08:49:37 GMT").await.is(200).body,
        stored.content
    );
}

#[tokio::test]
async fn conditions_are_judged_in_order() {
    let server = Server::start().await;
    let stored = store(&server, pattern(1, 1000)).await;
    let etag = format!("\"{}\"", sha256(&stored.content));
    let get = |name: &str, value: &str| stored.admin.get(&stored.path).header(name, value);
    let unchanged = get("if-none-match", &etag).send().await;
    assert!(unchanged.is(304).body.is_empty());
    assert_eq!(unchanged.header("etag"), etag);
    get("if-none-match", "*").send().await.is(304);
    get("if-none-match", "\"other\"").send().await.is(200);
    get("if-match", &etag).send().await.is(200);
    get("if-match", "\"other\"")
        .send()
        .await
        .problem(412, "etag_mismatch");
    let modified = stored
        .admin
        .get(&stored.path)
        .send()
        .await
        .header("last-modified")
        .to_owned();
    get("if-modified-since", &modified).send().await.is(304);
    get("if-unmodified-since", &modified).send().await.is(200);
    get("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT")
        .send()
        .await
        .is(412);
    // The tag outweighs the date.
    let both = get("if-none-match", "\"other\"").header("if-modified-since", &modified);
    both.send().await.is(200);
}

#[tokio::test]
async fn every_refusal_of_a_range_is_empty() {
    let server = Server::start().await;
    let stored = store(&server, pattern(1, 1000)).await;
    let other = server.tenant("bolt").await;
    let writer = stored.admin.scoped(&["files:write"]).await;
    let wrong = stored.admin.with_key("bailee_dev_wrong");
    let callers = [
        (stored.admin.nobody(), 401, "credential_missing"),
        (wrong, 401, "credential_invalid"),
        (writer, 403, "insufficient_scope"),
        (other, 404, "not_found"),
    ];
    for (caller, status, code) in callers {
        for path in [
            &stored.path,
            &"/files/content?path=/d/report.csv".to_owned(),
        ] {
            let answer = caller.get(path).header("range", "bytes=10-").send().await;
            assert!(answer.is(status).body.is_empty(), "{status} {path}");
            assert_eq!(answer.header("bailee-problem"), code);
            assert_eq!(answer.header("content-length"), "0");
        }
    }
    stored
        .admin
        .delete(&stored.path.replace("/download", ""))
        .send()
        .await
        .is(204);
    let answer = stored.range("bytes=10-").await;
    assert!(answer.is(404).body.is_empty());
    assert_eq!(answer.header("bailee-problem"), "not_found");
}

#[tokio::test]
async fn a_name_of_any_letters_is_told_in_both_forms() {
    let server = Server::start().await;
    let admin = server.admin();
    for name in ["Übersicht 2026.csv", "a\"b.txt", "日本.txt"] {
        let path: String =
            url::form_urlencoded::byte_serialize(format!("/n/{name}").as_bytes()).collect();
        let put = admin
            .put(&format!("/files/content?path={path}"))
            .body("x")
            .send()
            .await;
        let id = put.is(201).json()["file_id"].as_str().unwrap().to_owned();
        let answer = admin.get(&format!("/files/{id}/download")).send().await;
        let told = answer.is(200).header("content-disposition").to_owned();
        assert!(told.starts_with("attachment; "), "{told}");
        assert!(told.is_ascii() && !told.contains('\n'), "{told}");
    }
}
