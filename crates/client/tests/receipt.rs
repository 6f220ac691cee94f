//! A receipt as it was once signed: it must verify for ever, and no byte of it may change.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use bailee_client::{ReceiptFault, VerifierKey, verify_receipt};

const RECEIPT: &[u8] = include_bytes!("../golden/receipt-v1.json");
const KEY: &str = include_str!("../golden/receipt-v1.key");

fn key() -> VerifierKey {
    KEY.parse().unwrap()
}

#[test]
fn the_golden_receipt_is_good() {
    let good = verify_receipt(RECEIPT, &key()).unwrap();
    assert_eq!((good.sequence, good.tree_size), (5, 7));
    assert_eq!(good.facts.get("size"), Some(&5.into()));
    assert_eq!(key().to_string(), KEY.trim());
}

#[test]
fn no_byte_of_it_may_change() {
    for at in 0..RECEIPT.len() {
        for flip in [1, 0x20] {
            let mut changed = RECEIPT.to_vec();
            *changed.get_mut(at).unwrap() ^= flip;
            assert!(verify_receipt(&changed, &key()).is_err(), "byte {at}");
        }
        let mut shorter = RECEIPT.to_vec();
        shorter.remove(at);
        assert!(
            verify_receipt(&shorter, &key()).is_err(),
            "without byte {at}"
        );
    }
}

#[test]
fn the_reason_is_told() {
    let text = std::str::from_utf8(RECEIPT).unwrap();
    let fault = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        verify_receipt(changed.as_bytes(), &key()).unwrap_err()
    };
    assert_eq!(fault("\"size\": 5", "\"size\": 6"), ReceiptFault::Signature);
    assert_eq!(
        fault("  \"size\"", "   \"size\""),
        ReceiptFault::NotCanonical
    );
    assert!(matches!(fault("-v1", "-v2"), ReceiptFault::Form(_)));
    assert!(matches!(
        fault("\"key\": \"bailee", "\"key\": \"b4ilee"),
        ReceiptFault::OtherKey { .. }
    ));
    assert!(matches!(
        verify_receipt(b"\xff", &key()),
        Err(ReceiptFault::Form(_))
    ));
    let other = KEY.replace('+', "-");
    other.parse::<VerifierKey>().unwrap_err();
}
