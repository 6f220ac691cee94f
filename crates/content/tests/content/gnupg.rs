//! OpenPGP against GnuPG, both ways: RSA-3072 and Curve25519, armored and binary, compressed and not.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests fail by panicking; gpg is a program"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::SystemTime;

use crate::kit::{code, collect, dice, feed};
use bailee_content::pgp::{
    Encoding, KeyAlgorithm, NewKey, Open, Passphrase, PublicKey, Seal, SecretKey, SignDetached,
    Signer, Verdict, generate, open, seal, sign_detached, verify_detached,
};
use bailee_model::Timestamp;
use tempfile::TempDir;

/// A home of GnuPG of our own, gone with its agent at the end.
struct Gpg {
    home: TempDir,
}

impl Gpg {
    fn new() -> Self {
        let home = tempfile::Builder::new().prefix("gpg").tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
        Self { home }
    }

    /// With the kind of key that `parameters` describe, for `name`.
    fn with_key(name: &str, parameters: &str) -> Self {
        let gpg = Self::new();
        let file = gpg.write(
            "parameters",
            format!("{parameters}\nName-Real: {name}\nExpire-Date: 0\n%no-protection\n%commit\n")
                .as_bytes(),
        );
        gpg.run(&["--gen-key", file.to_str().unwrap()]);
        gpg
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn attempt(&self, args: &[&str]) -> Output {
        Command::new("gpg")
            .env("GNUPGHOME", self.home.path())
            .env("LC_ALL", "C")
            .args(["--batch", "--yes", "--quiet", "--trust-model", "always"])
            .args(["--pinentry-mode", "loopback", "--passphrase", ""])
            .args(args)
            .output()
            .unwrap()
    }

    fn run(&self, args: &[&str]) -> Vec<u8> {
        let output = self.attempt(args);
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "gpg {args:?}: {talk}");
        output.stdout
    }

    fn secret(&self) -> SecretKey {
        SecretKey::parse(&self.run(&["--export-secret-keys"]))
            .unwrap()
            .remove(0)
    }

    fn import(&self, key: &PublicKey) {
        let file = self.write("import", &key.export(Encoding::Armored).unwrap());
        self.run(&["--import", file.to_str().unwrap()]);
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf")
            .env("GNUPGHOME", self.home.path())
            .args(["--kill", "all"])
            .output();
    }
}

const RSA: &str = "Key-Type: RSA\nKey-Length: 3072\nKey-Usage: sign,cert\nSubkey-Type: RSA\nSubkey-Length: 3072\nSubkey-Usage: encrypt";
const CURVE: &str = "Key-Type: EDDSA\nKey-Curve: ed25519\nKey-Usage: sign,cert\nSubkey-Type: ECDH\nSubkey-Curve: cv25519\nSubkey-Usage: encrypt";

fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap())
}

async fn our_key() -> SecretKey {
    let order = NewKey {
        algorithm: KeyAlgorithm::default(),
        user_id: "Bailee <bailee@example.org>".into(),
        created: now(),
        lasts: None,
        passphrase: None,
    };
    generate(order, dice()).await.unwrap()
}

fn signer(key: &SecretKey) -> Signer {
    Signer {
        key: key.clone(),
        passphrase: None,
    }
}

fn content() -> Vec<u8> {
    (0..120_000_u32)
        .flat_map(|n| format!("{n};{}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
        .collect()
}

async fn from_gnupg(parameters: &str) {
    let gpg = Gpg::with_key("Theirs", parameters);
    let theirs = gpg.secret();
    let ours = our_key().await;
    gpg.import(&ours.public());
    let content = content();
    let file = gpg.write("content", &content);
    let file = file.to_str().unwrap();
    for armor in [&["--armor"][..], &[]] {
        for compression in ["0", "6"] {
            // To us and to themselves, so that each of the keys is tried.
            let mut args = vec!["--output", "-", "-z", compression, "--sign", "--encrypt"];
            args.extend(["--recipient", "Bailee", "--recipient", "Theirs"]);
            args.extend(["--local-user", "Theirs"]);
            args.extend(armor);
            args.push(file);
            let message = gpg.run(&args);
            for reader in [&ours, &theirs] {
                let order = Open {
                    keys: vec![signer(reader)],
                    signers: vec![theirs.public()],
                    must_be_encrypted: true,
                    must_be_signed: true,
                    content_bytes_max: 1 << 30,
                    now: now(),
                };
                let (sink, all) = collect();
                let opened = open(feed(message.clone()), sink, order).await.unwrap();
                assert!(all.await.unwrap() == content);
                assert_eq!(opened.was_compressed, compression != "0");
                assert_eq!(opened.signatures.first().unwrap().verdict, Verdict::Good);
            }
        }
        for text in [&["--textmode"][..], &[]] {
            let mut args = vec!["--output", "-", "--detach-sign"];
            args.extend(armor);
            args.extend(text);
            args.push(file);
            let signature = gpg.run(&args);
            let keys = vec![theirs.public()];
            let reports = verify_detached(feed(content.clone()), signature, keys, now())
                .await
                .unwrap();
            assert_eq!(reports.first().unwrap().verdict, Verdict::Good);
        }
    }
}

async fn to_gnupg(parameters: &str) {
    let gpg = Gpg::with_key("Theirs", parameters);
    let theirs = gpg.secret();
    let ours = our_key().await;
    gpg.import(&ours.public());
    let content = content();
    let file = gpg.write("content", &content);
    for encoding in [Encoding::Armored, Encoding::Binary] {
        for is_compressed in [false, true] {
            let order = Seal {
                recipients: vec![theirs.public(), ours.public()],
                signers: vec![signer(&ours), signer(&theirs)],
                encoding,
                is_compressed,
                now: now(),
            };
            let (sink, all) = collect();
            seal(feed(content.clone()), sink, order, dice())
                .await
                .unwrap();
            let message = gpg.write("message", &all.await.unwrap());
            let message = message.to_str().unwrap();
            let output = gpg.attempt(&["--status-fd", "2", "--output", "-", "-d", message]);
            let talk = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{talk}");
            assert!(output.stdout == content);
            assert_eq!(talk.matches("GOODSIG").count(), 2, "{talk}");
            assert!(talk.contains("GOODMDC"), "{talk}");
        }
        for key in [&ours, &theirs] {
            let order = SignDetached {
                signer: signer(key),
                encoding,
                now: now(),
            };
            let signature = sign_detached(feed(content.clone()), order).await.unwrap();
            let signature = gpg.write("signature", &signature);
            let pair = [signature.to_str().unwrap(), file.to_str().unwrap()];
            gpg.run(&["--verify", pair[0], pair[1]]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rsa_messages_of_gnupg_open() {
    from_gnupg(RSA).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curve_messages_of_gnupg_open() {
    from_gnupg(CURVE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gnupg_opens_our_messages_by_rsa() {
    to_gnupg(RSA).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gnupg_opens_our_messages_by_curve() {
    to_gnupg(CURVE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn weak_revoked_and_unprotected_things_of_gnupg_are_refused() {
    let gpg = Gpg::with_key("Theirs", CURVE);
    let theirs = gpg.secret();
    let file = gpg.write("content", b"content");
    let file = file.to_str().unwrap();

    let mut args = vec!["--digest-algo", "SHA1", "--output", "-", "--detach-sign"];
    args.push(file);
    let signature = gpg.run(&args);
    let verify = |signature: Vec<u8>, key: PublicKey| {
        verify_detached(feed(b"content".to_vec()), signature, vec![key], now())
    };
    let outcome = verify(signature, theirs.public()).await;
    assert_eq!(code(outcome), "pgp_weak_algorithm");

    for (args, expected) in [
        (["--cipher-algo", "3DES"], "pgp_weak_algorithm"),
        (["--rfc2440", "--disable-mdc"], "pgp_unprotected"),
    ] {
        let mut all = args.to_vec();
        all.extend(["--output", "-", "--encrypt", "--recipient", "Theirs", file]);
        let message = gpg.attempt(&all);
        if !message.status.success() {
            // Newer versions do not make such messages at all.
            continue;
        }
        let order = Open {
            keys: vec![signer(&theirs)],
            signers: Vec::new(),
            must_be_encrypted: true,
            must_be_signed: false,
            content_bytes_max: 1 << 20,
            now: now(),
        };
        let (sink, _) = collect();
        assert_eq!(
            code(open(feed(message.stdout), sink, order).await),
            expected
        );
    }

    let good = gpg.run(&["--output", "-", "--detach-sign", file]);
    let revocation = gpg.path(&format!("openpgp-revocs.d/{}.rev", theirs.fingerprint()));
    // The file is made harmless by a colon, which whoever means it takes away.
    let text = fs::read_to_string(revocation)
        .unwrap()
        .replace(":-----", "-----");
    let revocation = gpg.write("revocation", text.as_bytes());
    gpg.run(&["--import", revocation.to_str().unwrap()]);
    let revoked = PublicKey::parse(&gpg.run(&["--armor", "--export"]))
        .unwrap()
        .remove(0);
    let outcome = verify(good, revoked.clone()).await;
    assert_eq!(code(outcome), "pgp_key_revoked");
    let order = Seal {
        recipients: vec![revoked],
        signers: Vec::new(),
        encoding: Encoding::Binary,
        is_compressed: false,
        now: now(),
    };
    let (sink, _) = collect();
    let outcome = seal(feed(b"x".to_vec()), sink, order, dice()).await;
    assert_eq!(code(outcome), "pgp_key_revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn our_locked_key_works_in_gnupg() {
    let order = NewKey {
        algorithm: KeyAlgorithm::default(),
        user_id: "Locked <locked@example.org>".into(),
        created: now(),
        lasts: None,
        passphrase: Some(Passphrase::new("correct horse")),
    };
    let key = generate(order, dice()).await.unwrap();
    let gpg = Gpg::new();
    let file = gpg.write("key", &key.export(Encoding::Armored).unwrap());
    gpg.run(&[
        "--passphrase",
        "correct horse",
        "--import",
        file.to_str().unwrap(),
    ]);
    let file = gpg.write("content", b"content");
    let file = file.to_str().unwrap();
    let mut args = vec!["--passphrase", "correct horse", "--output", "-"];
    args.extend(["--detach-sign", file]);
    let signature = gpg.run(&args);
    let keys = vec![key.public()];
    let reports = verify_detached(feed(b"content".to_vec()), signature, keys, now())
        .await
        .unwrap();
    assert_eq!(reports.first().unwrap().verdict, Verdict::Good);
}
