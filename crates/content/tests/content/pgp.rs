//! OpenPGP against itself: round trips, refusals, limits.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::time::Duration;

use crate::kit::{TODAY, code, collect, dice, feed};
use bailee_content::pgp::{
    Encoding, KeyAlgorithm, KeyState, NewKey, Open, Opened, Passphrase, PublicKey, Seal, SecretKey,
    SignDetached, Signer, Verdict, generate, open, seal, sign_detached, verify_detached,
};
use bailee_content::{Error, Result};
use bailee_model::Timestamp;

async fn key(name: &str) -> SecretKey {
    locked_key(name, None, None).await
}

async fn locked_key(name: &str, lock: Option<&str>, lasts: Option<Duration>) -> SecretKey {
    let order = NewKey {
        algorithm: KeyAlgorithm::default(),
        user_id: format!("{name} <{name}@example.org>"),
        created: TODAY,
        lasts,
        passphrase: lock.map(Passphrase::new),
    };
    generate(order, dice()).await.unwrap()
}

fn signer(key: &SecretKey) -> Signer {
    Signer {
        key: key.clone(),
        passphrase: None,
    }
}

fn order_to_seal(to: &[&SecretKey], by: &[&SecretKey]) -> Seal {
    Seal {
        recipients: to.iter().map(|key| key.public()).collect(),
        signers: by.iter().map(|key| signer(key)).collect(),
        encoding: Encoding::Binary,
        is_compressed: false,
        now: TODAY,
    }
}

fn order_to_open(with: &[&SecretKey], by: &[&SecretKey]) -> Open {
    Open {
        keys: with.iter().map(|key| signer(key)).collect(),
        signers: by.iter().map(|key| key.public()).collect(),
        must_be_encrypted: !with.is_empty(),
        must_be_signed: !by.is_empty(),
        content_bytes_max: 1 << 30,
        now: TODAY,
    }
}

async fn sealed(content: &[u8], order: Seal) -> Result<Vec<u8>> {
    let (sink, all) = collect();
    seal(feed(content.to_vec()), sink, order, dice()).await?;
    Ok(all.await.unwrap())
}

async fn opened(message: &[u8], order: Open) -> Result<(Opened, Vec<u8>)> {
    let (sink, all) = collect();
    let opened = open(feed(message.to_vec()), sink, order).await?;
    Ok((opened, all.await.unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_opens_in_each_shape() {
    let (ann, bob, eve) = (key("ann").await, key("bob").await, key("eve").await);
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    for encoding in [Encoding::Armored, Encoding::Binary] {
        for is_compressed in [false, true] {
            let mut order = order_to_seal(&[&bob, &eve], &[&ann]);
            order.encoding = encoding;
            order.is_compressed = is_compressed;
            let message = sealed(&content, order).await.unwrap();
            for reader in [&bob, &eve] {
                let order = order_to_open(&[reader], &[&ann]);
                let (report, bytes) = opened(&message, order).await.unwrap();
                assert!(bytes == content);
                assert!(report.was_encrypted);
                assert_eq!(report.was_compressed, is_compressed);
                assert_eq!(report.signatures[0].verdict, Verdict::Good);
                assert_eq!(report.signatures[0].key, ann.fingerprint());
                assert_eq!(report.content_bytes, content.len() as u64);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_for_others_or_by_others_is_refused() {
    let (ann, bob, eve) = (key("ann").await, key("bob").await, key("eve").await);
    let message = sealed(b"payroll", order_to_seal(&[&bob], &[&ann]))
        .await
        .unwrap();
    let outcome = opened(&message, order_to_open(&[&eve], &[&ann])).await;
    assert_eq!(code(outcome), "pgp_not_for_us");
    let outcome = opened(&message, order_to_open(&[&bob], &[&eve])).await;
    assert_eq!(code(outcome), "pgp_unknown_signer");
    let unsigned = sealed(b"payroll", order_to_seal(&[&bob], &[]))
        .await
        .unwrap();
    let outcome = opened(&unsigned, order_to_open(&[&bob], &[&ann])).await;
    assert_eq!(code(outcome), "pgp_not_signed");
    let plain = sealed(b"payroll", order_to_seal(&[], &[&ann]))
        .await
        .unwrap();
    let outcome = opened(&plain, order_to_open(&[&bob], &[&ann])).await;
    assert_eq!(code(outcome), "pgp_not_encrypted");
    let outcome = opened(b"", order_to_open(&[&bob], &[])).await;
    assert_eq!(code(outcome), "pgp_not_a_message");
    let outcome = opened(b"date;amount\n1;2\n", order_to_open(&[&bob], &[])).await;
    assert_eq!(code(outcome), "pgp_not_a_message");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_changed_or_cut_message_is_taken() {
    let (ann, bob) = (key("ann").await, key("bob").await);
    let content = vec![b'x'; 3000];
    let message = sealed(&content, order_to_seal(&[&bob], &[&ann]))
        .await
        .unwrap();
    for place in (0..message.len()).step_by(97) {
        let mut changed = message.clone();
        changed[place] ^= 0x10;
        let outcome = opened(&changed, order_to_open(&[&bob], &[])).await;
        let is_refused = outcome.is_err();
        assert!(is_refused, "byte {place} of {} changed", message.len());
    }
    for length in (0..message.len()).step_by(89) {
        let outcome = opened(&message[..length], order_to_open(&[&bob], &[])).await;
        assert!(outcome.is_err(), "cut to {length}");
    }
    let mut longer = message.clone();
    longer.extend_from_slice(&message);
    assert!(opened(&longer, order_to_open(&[&bob], &[])).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_that_lacks_its_end_is_taken() {
    let (ann, bob) = (key("ann").await, key("bob").await);
    let content = b"2026;11;22\n".repeat(50);
    for (to, is_compressed) in [
        (&[][..], false),
        (&[], true),
        (&[&bob][..], false),
        (&[&bob], true),
    ] {
        let mut order = order_to_seal(to, &[&ann]);
        order.is_compressed = is_compressed;
        let message = sealed(&content, order).await.unwrap();
        for lacking in 1..60 {
            let cut = &message[..message.len() - lacking];
            let outcome = opened(cut, order_to_open(to, &[&ann])).await;
            assert!(outcome.is_err(), "{} {is_compressed} {lacking}", to.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_out_of_their_time_are_refused() {
    let day = Duration::from_hours(24);
    let brief = locked_key("brief", None, Some(day)).await;
    let ann = key("ann").await;
    let later = TODAY.plus(day + day);
    let earlier = TODAY.minus(day);

    let shown = brief.public().describe(TODAY);
    assert_eq!(shown.state, KeyState::Valid);
    assert_eq!(shown.expires, Some(TODAY.plus(day)));
    assert_eq!(shown.user_ids, ["brief <brief@example.org>"]);
    assert!(shown.can_encrypt && shown.can_sign);
    let shown = brief.public().describe(later);
    assert_eq!(shown.state, KeyState::Expired);
    assert!(!shown.can_encrypt && !shown.can_sign);

    let at = |now: Timestamp, mut order: Seal| {
        order.now = now;
        order
    };
    let outcome = sealed(b"x", at(later, order_to_seal(&[&brief], &[]))).await;
    assert_eq!(code(outcome), "pgp_key_expired");
    let outcome = sealed(b"x", at(later, order_to_seal(&[&ann], &[&brief]))).await;
    assert_eq!(code(outcome), "pgp_key_expired");
    let outcome = sealed(b"x", at(earlier, order_to_seal(&[&ann], &[]))).await;
    assert_eq!(code(outcome), "pgp_key_not_yet_valid");

    let message = sealed(b"x", order_to_seal(&[&ann], &[&brief]))
        .await
        .unwrap();
    let mut order = order_to_open(&[&ann], &[&brief]);
    order.now = later;
    assert_eq!(code(opened(&message, order).await), "pgp_key_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_key_needs_its_passphrase() {
    let ann = locked_key("ann", Some("correct horse"), None).await;
    assert!(ann.is_locked());
    let file = ann.export(Encoding::Armored).unwrap();
    let again = SecretKey::parse(&file).unwrap().remove(0);
    assert!(again.is_locked());
    assert!(again.check(&Passphrase::new("correct horse")).is_ok());
    assert!(again.check(&Passphrase::new("battery")).is_err());
    assert!(!format!("{again:?}{:?}", Passphrase::new("battery")).contains("battery"));

    let message = sealed(b"x", order_to_seal(&[&ann], &[])).await.unwrap();
    for (passphrase, expected) in [
        (None, Some("pgp_wrong_passphrase")),
        (Some("battery"), Some("pgp_wrong_passphrase")),
        (Some("correct horse"), None),
    ] {
        let mut order = order_to_open(&[&again], &[]);
        order.keys[0].passphrase = passphrase.map(Passphrase::new);
        let outcome = opened(&message, order).await;
        assert_eq!(outcome.err().map(|error| error.code()), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn detached_signatures_hold_for_their_content_only() {
    let (ann, bob) = (key("ann").await, key("bob").await);
    for encoding in [Encoding::Armored, Encoding::Binary] {
        let order = SignDetached {
            signer: signer(&ann),
            encoding,
            now: TODAY,
        };
        let file = sign_detached(feed(b"content".to_vec()), order)
            .await
            .unwrap();
        let verify = |content: &[u8], by: &SecretKey| {
            verify_detached(
                feed(content.to_vec()),
                file.clone(),
                vec![by.public()],
                TODAY,
            )
        };
        let reports = verify(b"content", &ann).await.unwrap();
        assert_eq!(reports[0].verdict, Verdict::Good);
        assert_eq!(code(verify(b"Content", &ann).await), "pgp_bad_signature");
        assert_eq!(code(verify(b"content", &bob).await), "pgp_unknown_signer");
    }
    let outcome = verify_detached(feed(vec![]), b"no".to_vec(), vec![ann.public()], TODAY).await;
    assert_eq!(code(outcome), "pgp_not_a_signature");
}

#[tokio::test(flavor = "multi_thread")]
async fn content_beyond_the_limits_is_refused() {
    let bob = key("bob").await;
    let content = vec![0; 8 * 1024 * 1024];
    let mut order = order_to_seal(&[&bob], &[]);
    order.is_compressed = true;
    let bomb = sealed(&content, order).await.unwrap();
    let outcome = opened(&bomb, order_to_open(&[&bob], &[])).await;
    assert_eq!(code(outcome), "content_too_dense");
    let plain = sealed(&content, order_to_seal(&[&bob], &[])).await.unwrap();
    let mut order = order_to_open(&[&bob], &[]);
    order.content_bytes_max = 1024 * 1024;
    assert_eq!(code(opened(&plain, order).await), "content_too_large");
    let nothing = sealed(b"x", order_to_seal(&[], &[])).await;
    assert_eq!(code(nothing), "pgp_nothing_to_do");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_breaks_is_not_a_bad_message() {
    struct Broken;
    impl tokio::io::AsyncRead for Broken {
        fn poll_read(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            _: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            std::task::Poll::Ready(Err(std::io::Error::other("cable")))
        }
    }
    let bob = key("bob").await;
    let (sink, _) = collect();
    let outcome = open(Broken, sink, order_to_open(&[&bob], &[])).await;
    assert!(matches!(outcome, Err(Error::Read(_))), "{outcome:?}");
    let (sink, _) = collect();
    let outcome = seal(Broken, sink, order_to_seal(&[&bob], &[]), dice()).await;
    assert!(matches!(outcome, Err(Error::Read(_))), "{outcome:?}");
}

#[test]
fn files_that_are_no_keys_are_refused() {
    for file in [
        &b""[..],
        b"hello",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
        &[0xC6, 0x01, 0x00],
    ] {
        assert_eq!(PublicKey::parse(file).unwrap_err().code(), "pgp_not_a_key");
    }
}
