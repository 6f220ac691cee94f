//! Files of checksums.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests fail by panicking; sha256sum is a program"
)]

use std::process::Command;

use bailee_content::checksum::{Checksum, check, format, parse, sha256};

use crate::kit::{code, feed};

#[tokio::test(flavor = "multi_thread")]
async fn sha256sum_and_we_agree() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = Vec::new();
    for name in ["plain.txt", "with blank", "back\\slash", "line\nbreak"] {
        let content = format!("content of {name}").into_bytes();
        std::fs::write(folder.path().join(name), &content).unwrap();
        list.push(Checksum {
            name: name.into(),
            sha256: sha256(feed(content)).await.unwrap(),
        });
    }
    let ours = format(&list);
    assert_eq!(parse(ours.as_bytes()).unwrap(), list);
    let sums = folder.path().join("SUMS");
    std::fs::write(&sums, &ours).unwrap();
    let run = |args: &[&str]| {
        let mut program = Command::new("sha256sum");
        program.current_dir(folder.path()).args(args);
        program.output().unwrap()
    };
    assert!(run(&["--strict", "--check", "SUMS"]).status.success());
    let theirs = run(&["plain.txt", "with blank", "back\\slash", "line\nbreak"]);
    assert_eq!(parse(&theirs.stdout).unwrap(), list);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_told() {
    let list = vec![Checksum {
        name: "a".into(),
        sha256: sha256(feed(b"content".to_vec())).await.unwrap(),
    }];
    assert!(check(&list, "a", feed(b"content".to_vec())).await.is_ok());
    let outcome = check(&list, "a", feed(b"Content".to_vec())).await;
    assert_eq!(code(outcome), "checksum_mismatch");
    let outcome = check(&list, "b", feed(b"content".to_vec())).await;
    assert_eq!(code(outcome), "checksum_not_listed");
    let zeros = "0".repeat(64);
    for (text, expected) in [
        ("hello".to_owned(), "checksum_line"),
        (format!("{zeros} a"), "checksum_line"),
        (format!("{zeros}  "), "checksum_line"),
        (format!("\\{zeros}  a\\x"), "checksum_line"),
        (
            format!("{zeros}  a\n{}  a", "1".repeat(64)),
            "checksum_contradiction",
        ),
    ] {
        assert_eq!(parse(text.as_bytes()).unwrap_err().code(), expected);
    }
}
