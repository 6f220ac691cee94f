//! OpenPGP.

use std::time::Duration;

use bailee_core::model::PgpKeyTrust;
use bailee_core::{ImportPgpKey, MakePgpKey, PgpAlgorithm, PgpKeyChange, PgpKeyFile, Precondition};
use serde_json::json;

use super::site::{Site, content};
use super::{act, below, fault, names, out, put};

async fn make_key(site: &Site, name: &str) {
    let wish = MakePgpKey {
        name: name.parse().unwrap(),
        user_id: format!("{name} <{name}@example.org>"),
        algorithm: PgpAlgorithm::Curve25519,
        lasts: Some(Duration::from_hours(24)),
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
    let sealed = site.take("/out/enc/large.bin.pgp").await.unwrap();
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
    assert!(site.take("/out/dec/large.bin").await.unwrap() == large);
    // What another try left behind is not part of the set.
    put(&site, "/out/dec/stray/file.txt", b"half").await;
    let armored = json!({"kind": "pgp_encrypt", "recipients": ["own"], "armor": true});
    let armored = act(&site, armored, &files[..1], "dec").await.unwrap();
    assert_eq!(
        below(&site, &out("dec").folder).await,
        ["/out/dec/a.csv.asc"]
    );
    let text = site.take("/out/dec/a.csv.asc").await.unwrap();
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
            text: include_str!("../../../../../../tests/tests/it/kit/partner.asc").into(),
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
        json!({"kind": "pgp_verify", "signers": ["own"], "signature": "/out/s/{name}.asc"});
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
