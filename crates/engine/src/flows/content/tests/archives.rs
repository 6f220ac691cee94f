//! Archives, honest and hostile.

use serde_json::json;

use super::site::{Site, content};
use super::{act, fault, names, put};

#[tokio::test(flavor = "multi_thread")]
async fn archives_hold_what_was_put_in() {
    let site = Site::new().await;
    let files = [
        put(&site, "/in/a.csv", &content(300_000)).await,
        put(&site, "/in/b.txt", b"b").await,
        put(&site, "/in/empty", b"").await,
    ];
    for (format, name) in [
        ("zip", "all.zip"),
        ("tar", "all.tar"),
        ("tar.gz", "all.tgz"),
        ("tar.zst", "all.tar.zst"),
    ] {
        let pack = json!({"kind": "compress", "format": format, "archive": name});
        let first = act(&site, pack.clone(), &files, "pack").await.unwrap();
        assert_eq!(names(&first), [name]);
        let second = act(&site, pack, &files, "pack").await.unwrap();
        assert_eq!(first[0].hash, second[0].hash, "{format} of the same files");
        let unpack = json!({"kind": "extract"});
        let unpacked = act(&site, unpack, &second, "unpack").await.unwrap();
        assert_eq!(names(&unpacked), ["a.csv", "b.txt", "empty"], "{format}");
        assert_eq!(unpacked[0].hash, files[0].hash, "{format}");
        let few = json!({"kind": "extract", "max_files": 2});
        let code = fault(&site, few, &second).await;
        assert_eq!(code, "archive_too_many_entries", "{format}");
    }
    for format in ["gzip", "zstd", "zip"] {
        let pack = json!({"kind": "compress", "format": format});
        let packed = act(&site, pack, &files, "each").await.unwrap();
        assert_eq!(packed.len(), 3);
        let unpack = json!({"kind": "extract"});
        let unpacked = act(&site, unpack, &packed, "unpack").await.unwrap();
        let hashes: Vec<_> = unpacked.iter().map(|file| &file.hash).collect();
        assert_eq!(
            hashes,
            files.iter().map(|file| &file.hash).collect::<Vec<_>>()
        );
    }
    let one = json!({"kind": "compress", "format": "gzip", "archive": "all.gz"});
    assert_eq!(fault(&site, one, &files).await, "archive_one_file");
    let twin = put(&site, "/other/a.csv", b"twin").await;
    let pack = json!({"kind": "compress", "format": "gzip"});
    let pair = [files[0].clone(), twin];
    assert_eq!(fault(&site, pack, &pair).await, "output_name_taken");
}

/// A tar file with one entry of this name and kind, or a cut one.
fn tar(name: &str, kind: u8) -> Vec<u8> {
    let mut header = vec![0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..124].copy_from_slice(b"0000000\x000000000\0");
    header[124..136].copy_from_slice(b"00000000004\0");
    header[136..148].copy_from_slice(b"00000000000\0");
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header.extend_from_slice(b"evil");
    header.resize(1024, 0);
    header.resize(2048, 0);
    header
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_archives_leave_nothing() {
    let site = Site::new().await;
    let extract = || json!({"kind": "extract"});
    for (name, kind, code) in [
        ("../evil", b'0', "archive_entry_path"),
        ("/etc/evil", b'0', "archive_entry_path"),
        ("a/../../evil", b'0', "archive_entry_path"),
        ("C:evil", b'0', "archive_entry_path"),
        ("a\\evil", b'0', "archive_entry_path"),
        ("link", b'2', "archive_entry_link"),
        ("device", b'3', "archive_entry_special"),
    ] {
        let file = put(&site, "/in/evil.tar", &tar(name, kind)).await;
        assert_eq!(fault(&site, extract(), &[file]).await, code, "{name}");
    }
    let cut = put(&site, "/in/cut.tar", &tar("good", b'0')[..514]).await;
    assert_eq!(
        fault(&site, extract(), &[cut]).await,
        "archive_entry_damaged"
    );
    let zeros = put(&site, "/in/zeros", &vec![0; 16 << 20]).await;
    for format in ["gzip", "zstd", "zip", "tar.gz"] {
        let pack = json!({"kind": "compress", "format": format});
        let bomb = act(&site, pack, std::slice::from_ref(&zeros), "bomb").await;
        let bomb = bomb.unwrap();
        assert_eq!(
            fault(&site, extract(), &bomb).await,
            "content_too_dense",
            "{format}"
        );
        let small = json!({"kind": "extract", "max_bytes": 1000});
        let code = fault(&site, small, &bomb).await;
        assert_eq!(code, "content_too_large", "{format}");
    }
    let text = put(&site, "/in/text.zip", b"no archive at all").await;
    assert_eq!(fault(&site, extract(), &[text]).await, "archive_unknown");
    let plain = put(&site, "/in/text.csv", b"no archive at all").await;
    assert_eq!(fault(&site, extract(), &[plain]).await, "archive_unknown");
}
