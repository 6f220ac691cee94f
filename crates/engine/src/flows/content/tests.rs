//! Steps on files of a real core: what they put out, and that a fault leaves nothing.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::time::Duration;

use bailee_core::model::{
    ContentOut, ContentStep, FlowFile, FolderPath, PageRequest, PgpKeyTrust, StepFault,
};
use bailee_core::{
    FileQuery, ImportPgpKey, MakePgpKey, PgpAlgorithm, PgpKeyChange, PgpKeyFile, Precondition,
};
use serde_json::{Value, json};
use site::{Site, content};

use super::run;

#[expect(dead_code, reason = "nothing is transferred here")]
#[path = "../../../tests/site/mod.rs"]
mod site;

/// The folder of a step, as a run would give it.
fn out(name: &str) -> ContentOut {
    ContentOut {
        folder: format!("/work/{name}").parse().unwrap(),
    }
}

fn step(text: Value) -> ContentStep {
    serde_json::from_value(text).unwrap()
}

async fn put(site: &Site, path: &str, bytes: &[u8]) -> FlowFile {
    let file = site.put(path, bytes).await.file;
    FlowFile {
        name: file.path.name().clone(),
        path: file.path,
        file_id: file.id,
        size_bytes: file.size_bytes,
        hash: file.hash,
    }
}

async fn act(
    site: &Site,
    text: Value,
    files: &[FlowFile],
    folder: &str,
) -> Result<Vec<FlowFile>, StepFault> {
    run(&site.core, &site.caller, &step(text), files, &out(folder)).await
}

/// The paths below a folder, sorted.
async fn below(site: &Site, folder: &FolderPath) -> Vec<String> {
    let query = FileQuery {
        below: Some(folder.clone()),
        ..FileQuery::default()
    };
    let page = PageRequest {
        limit: 500,
        after: None,
    };
    let found = site.core.files().list(&site.caller, query, page).await;
    let mut paths: Vec<_> = found
        .unwrap()
        .data
        .iter()
        .map(|file| file.path.to_string())
        .collect();
    paths.sort();
    paths
}

/// A fault's code, once it is sure that the step left nothing behind.
async fn fault(site: &Site, text: Value, files: &[FlowFile]) -> String {
    let fault = act(site, text.clone(), files, "fault").await.unwrap_err();
    let left = below(site, &out("fault").folder).await;
    assert_eq!(left, Vec::<String>::new(), "{text}: {fault:?}");
    assert!(!fault.detail.is_empty());
    assert!(
        pages().contains(&fault.code.as_str()),
        "{} has no page",
        fault.code
    );
    fault.code
}

/// Pages of problems, by name.
fn pages() -> Vec<&'static str> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/problems");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        &*Box::leak(name.trim_end_matches(".md").to_owned().into_boxed_str())
    });
    names.collect()
}

fn names(files: &[FlowFile]) -> Vec<&str> {
    files.iter().map(|file| file.name.as_str()).collect()
}

async fn make_key(site: &Site, name: &str) {
    let wish = MakePgpKey {
        name: name.parse().unwrap(),
        user_id: format!("{name} <{name}@example.org>"),
        algorithm: PgpAlgorithm::Curve25519,
        lasts: Some(Duration::from_secs(86_400)),
        usage: None,
    };
    site.core
        .pgp_keys()
        .generate(&site.caller, wish)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_back_as_they_were_and_a_second_run_leaves_no_double() {
    let site = Site::new().await;
    make_key(&site, "own").await;
    make_key(&site, "bank").await;
    let large = content(3 << 20);
    let files = [
        put(&site, "/in/a.csv", b"a;b\n").await,
        put(&site, "/in/large.bin", &large).await,
    ];
    let encrypt = json!({"kind": "pgp_encrypt", "recipients": ["own"], "sign_with": "bank"});
    let first = act(&site, encrypt.clone(), &files, "enc").await.unwrap();
    assert_eq!(names(&first), ["a.csv.pgp", "large.bin.pgp"]);
    let sealed = site.take("/work/enc/large.bin.pgp").await.unwrap();
    assert!(!sealed.windows(64).any(|piece| piece == &large[..64]));
    let again = act(&site, encrypt, &files, "enc").await.unwrap();
    assert_eq!(names(&again), names(&first));
    assert_eq!(below(&site, &out("enc").folder).await.len(), 2);
    let versions = site.core.files();
    let versions = versions.versions(&site.caller, again[0].file_id).await;
    assert_eq!(
        versions.unwrap().len(),
        1,
        "the first try's is gone for good"
    );
    let decrypt = json!({"kind": "pgp_decrypt", "keys": ["own"], "signers": ["bank"]});
    let plain = act(&site, decrypt, &again, "dec").await.unwrap();
    assert_eq!(names(&plain), ["a.csv", "large.bin"]);
    for (plain, file) in plain.iter().zip(&files) {
        assert_eq!(plain.hash, file.hash);
    }
    assert!(site.take("/work/dec/large.bin").await.unwrap() == large);
    // What another try left behind is not part of the set.
    put(&site, "/work/dec/stray/file.txt", b"half").await;
    let armored = json!({"kind": "pgp_encrypt", "recipients": ["own"], "armor": true});
    let armored = act(&site, armored, &files[..1], "dec").await.unwrap();
    assert_eq!(
        below(&site, &out("dec").folder).await,
        ["/work/dec/a.csv.asc"]
    );
    let text = site.take("/work/dec/a.csv.asc").await.unwrap();
    assert!(text.starts_with(b"-----BEGIN PGP MESSAGE-----"));
    assert_eq!(names(&armored), ["a.csv.asc"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_not_what_was_agreed_leave_nothing() {
    let site = Site::new().await;
    for name in ["own", "other", "bank"] {
        make_key(&site, name).await;
    }
    let files = [
        put(&site, "/in/a.csv", &content(200_000)).await,
        put(&site, "/in/b.csv", b"b").await,
    ];
    let encrypt = json!({"kind": "pgp_encrypt", "recipients": ["own"]});
    let unsigned = act(&site, encrypt, &files, "u").await.unwrap();
    let decrypt = json!({"kind": "pgp_decrypt", "keys": ["own"]});
    let signed = json!({"kind": "pgp_decrypt", "keys": ["own"], "signers": ["bank"]});
    assert_eq!(
        fault(&site, signed.clone(), &unsigned).await,
        "pgp_not_signed"
    );
    let wrong = json!({"kind": "pgp_decrypt", "keys": ["other"]});
    assert_eq!(fault(&site, wrong, &unsigned).await, "pgp_not_for_us");
    assert_eq!(
        fault(&site, decrypt.clone(), &files).await,
        "pgp_not_a_message"
    );
    let small = json!({"kind": "pgp_decrypt", "keys": ["own"], "max_bytes": 1000});
    assert_eq!(fault(&site, small, &unsigned).await, "content_too_large");
    let by_other = json!({"kind": "pgp_encrypt", "recipients": ["own"], "sign_with": "other"});
    let by_other = act(&site, by_other, &files, "o").await.unwrap();
    assert_eq!(fault(&site, signed, &by_other).await, "pgp_unknown_signer");
    let message = site.take(&unsigned[0].path.to_string()).await.unwrap();
    let mut changed = message.clone();
    let place = changed.len() - 1000;
    changed[place] ^= 1;
    // The whole one comes first: what was made of it goes as well.
    let good = unsigned[1].clone();
    let cut = put(&site, "/in/cut.pgp", &message[..message.len() - 40]).await;
    let code = fault(&site, decrypt.clone(), &[good.clone(), cut]).await;
    assert_eq!(code, "pgp_damaged");
    let changed = put(&site, "/in/changed.pgp", &changed).await;
    assert_eq!(fault(&site, decrypt, &[good, changed]).await, "pgp_damaged");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_may_not_be_used_are_refused() {
    let site = Site::new().await;
    make_key(&site, "own").await;
    let keys = site.core.pgp_keys();
    let wish = ImportPgpKey {
        name: "partner".parse().unwrap(),
        file: PgpKeyFile {
            text: include_str!("../../../../../tests/tests/it/kit/partner.asc").into(),
            passphrase: None,
        },
        usage: None,
        trust: PgpKeyTrust::Untrusted,
    };
    let partner = keys.import(&site.caller, wish).await.unwrap();
    let files = [put(&site, "/in/a.csv", b"a").await];
    let encrypt = |to: &str| json!({"kind": "pgp_encrypt", "recipients": [to]});
    assert_eq!(
        fault(&site, encrypt("nobody"), &files).await,
        "pgp_key_unknown"
    );
    let by_id = partner.id.to_string();
    assert_eq!(
        fault(&site, encrypt(&by_id), &files).await,
        "pgp_key_untrusted"
    );
    let change = PgpKeyChange {
        trust: Some(PgpKeyTrust::Trusted),
        usage: Some(vec![bailee_core::model::PgpUsage::Sign]),
        ..PgpKeyChange::default()
    };
    let changed = keys
        .update(&site.caller, partner.id, change, Precondition::Unasked)
        .await;
    changed.unwrap();
    assert_eq!(
        fault(&site, encrypt("partner"), &files).await,
        "pgp_key_cannot_encrypt"
    );
    let sign = json!({"kind": "pgp_sign", "key": "partner"});
    assert_eq!(fault(&site, sign, &files).await, "pgp_key_without_secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_are_made_found_and_believed_only_if_they_hold() {
    let site = Site::new().await;
    make_key(&site, "own").await;
    make_key(&site, "other").await;
    let files = [
        put(&site, "/in/a.csv", &content(100_000)).await,
        put(&site, "/in/b.csv", b"b").await,
    ];
    let sign = json!({"kind": "pgp_sign", "key": "own"});
    let signed = act(&site, sign.clone(), &files, "s").await.unwrap();
    assert_eq!(names(&signed), ["a.csv", "a.csv.asc", "b.csv", "b.csv.asc"]);
    let verify = json!({"kind": "pgp_verify", "signers": ["own"]});
    let verified = act(&site, verify.clone(), &signed, "v").await.unwrap();
    assert_eq!(verified, files);
    let elsewhere =
        json!({"kind": "pgp_verify", "signers": ["own"], "signature": "/work/s/{name}.asc"});
    let verified = act(&site, elsewhere, &files, "v").await.unwrap();
    assert_eq!(verified, files);
    let lost = json!({"kind": "pgp_verify", "signers": ["own"], "signature": "/lost/{name}.asc"});
    assert_eq!(fault(&site, lost, &files).await, "pgp_signature_missing");
    assert_eq!(
        fault(&site, verify.clone(), &signed[..3]).await,
        "pgp_signature_missing"
    );
    let other = json!({"kind": "pgp_verify", "signers": ["other"]});
    assert_eq!(fault(&site, other, &signed).await, "pgp_unknown_signer");
    let forged = put(&site, "/forged/a.csv", b"other content").await;
    let pair = [forged.clone(), signed[1].clone()];
    assert_eq!(
        fault(&site, verify.clone(), &pair).await,
        "pgp_bad_signature"
    );
    let junk = put(&site, "/forged/a.csv.asc", b"no signature").await;
    assert_eq!(
        fault(&site, verify, &[forged, junk]).await,
        "pgp_not_a_signature"
    );
    let inline = json!({"kind": "pgp_sign", "key": "own", "mode": "inline", "armor": false});
    let inline = act(&site, inline, &files, "i").await.unwrap();
    assert_eq!(names(&inline), ["a.csv.pgp", "b.csv.pgp"]);
    let verify = json!({"kind": "pgp_verify", "signers": ["own"], "mode": "inline"});
    let plain = act(&site, verify, &inline, "p").await.unwrap();
    assert_eq!(plain[0].hash, files[0].hash);
}

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
        let pack = json!({"kind": "compress", "format": format, "name": name});
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
    let one = json!({"kind": "compress", "format": "gzip", "name": "all.gz"});
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
    assert_eq!(fault(&site, extract(), &[cut]).await, "archive_damaged");
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

#[tokio::test(flavor = "multi_thread")]
async fn files_pass_when_they_are_what_was_agreed() {
    let site = Site::new().await;
    let csv = put(&site, "/in/a.csv", b"id,amount\n1,2.50\n2,3\n").await;
    let bad = put(&site, "/in/b.csv", b"id,amount\nx,2.50\n2,much\n").await;
    let json_file = put(&site, "/in/a.json", br#"{"id": 1}"#).await;
    let xml = put(&site, "/in/a.xml", b"<a><b/></a>").await;
    let rule = json!({"kind": "validate", "name": "[ab]\\.csv", "max_bytes": 100, "csv": {"columns": [
        {"name": "id", "type": "integer", "required": true}, {"name": "amount", "type": "decimal"}]}});
    let good = act(&site, rule.clone(), std::slice::from_ref(&csv), "v").await;
    assert_eq!(good.unwrap(), [csv.clone()]);
    let both = [csv.clone(), bad];
    let told = act(&site, rule.clone(), &both, "v").await.unwrap_err();
    assert_eq!(told.code, "content_invalid");
    for part in ["b.csv, line 2", "b.csv, line 3", "amount"] {
        assert!(told.detail.contains(part), "{}", told.detail);
    }
    assert!(!told.detail.contains("a.csv"), "{}", told.detail);
    let schema = json!({"type": "object", "properties": {"id": {"type": "string"}}});
    for (rule, file, code) in [
        (
            json!({"kind": "validate", "xml": true}),
            &csv,
            "content_invalid",
        ),
        (
            json!({"kind": "validate", "json": {}}),
            &xml,
            "content_invalid",
        ),
        (
            json!({"kind": "validate", "json": {"schema": schema}}),
            &json_file,
            "content_invalid",
        ),
        (
            json!({"kind": "validate", "types": ["application/pdf"]}),
            &csv,
            "content_invalid",
        ),
        (
            json!({"kind": "validate", "min_bytes": 1000}),
            &csv,
            "content_invalid",
        ),
        (
            json!({"kind": "validate", "name": "("}),
            &csv,
            "rule_pattern",
        ),
        (
            json!({"kind": "validate", "csv": {"columns": []}}),
            &csv,
            "rule_csv",
        ),
        (
            json!({"kind": "validate", "json": {"schema": {"$ref": "https://a.example/s"}}}),
            &json_file,
            "rule_schema",
        ),
    ] {
        let found = fault(&site, rule.clone(), std::slice::from_ref(file)).await;
        assert_eq!(found, code, "{rule}");
    }
    for (rule, file) in [
        (json!({"kind": "validate", "xml": true}), xml),
        (json!({"kind": "validate", "json": {}}), json_file),
        (json!({"kind": "validate", "types": ["text/*"]}), csv),
    ] {
        assert!(act(&site, rule, &[file], "v").await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checksums_are_written_and_compared() {
    let site = Site::new().await;
    let files = [
        put(&site, "/in/a.csv", b"a").await,
        put(&site, "/in/b.csv", b"b").await,
    ];
    let write = json!({"kind": "checksum", "mode": "write", "manifest": "SHA256SUMS"});
    let all = act(&site, write, &files, "w").await.unwrap();
    assert_eq!(names(&all), ["a.csv", "b.csv", "SHA256SUMS"]);
    let text = String::from_utf8(site.take("/work/w/SHA256SUMS").await.unwrap()).unwrap();
    assert_eq!(
        text,
        format!("{}  a.csv\n{}  b.csv\n", files[0].hash, files[1].hash)
    );
    let check = json!({"kind": "checksum", "mode": "check", "manifest": "SHA256SUMS"});
    let checked = act(&site, check.clone(), &all, "c").await.unwrap();
    assert_eq!(checked, files);
    assert_eq!(
        fault(&site, check.clone(), &files).await,
        "checksum_missing"
    );
    let one = [all[0].clone(), all[2].clone()];
    assert_eq!(
        fault(&site, check.clone(), &one).await,
        "checksum_file_missing"
    );
    let stranger = put(&site, "/in/c.csv", b"c").await;
    let more = [&all[..], &[stranger]].concat();
    assert_eq!(
        fault(&site, check.clone(), &more).await,
        "checksum_not_listed"
    );
    let changed = put(&site, "/new/a.csv", b"changed").await;
    let wrong = [changed, all[1].clone(), all[2].clone()];
    assert_eq!(
        fault(&site, check.clone(), &wrong).await,
        "checksum_mismatch"
    );
    let junk = put(&site, "/in/SHA256SUMS", b"not a list\n").await;
    assert_eq!(fault(&site, check, &[junk]).await, "checksum_line");
    let each = json!({"kind": "checksum", "mode": "write"});
    let each = act(&site, each, &files, "w").await.unwrap();
    assert_eq!(
        names(&each),
        ["a.csv", "a.csv.sha256", "b.csv", "b.csv.sha256"]
    );
    let check = json!({"kind": "checksum", "mode": "check"});
    assert_eq!(act(&site, check.clone(), &each, "c").await.unwrap(), files);
    assert_eq!(
        fault(&site, check.clone(), &each[..3]).await,
        "checksum_missing"
    );
    assert_eq!(
        fault(&site, check, &each[1..]).await,
        "checksum_file_missing"
    );
}
