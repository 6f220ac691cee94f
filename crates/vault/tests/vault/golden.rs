//! The sealed format does not change by accident. The files under `golden/` were made by another program, in another
//! language and with another library, from the description in `docs/reference/sealed-format.md`.

use bailee_model::{BlobId, Chance, TenantId};
use bailee_vault::{DataKey, End, HEADER_BYTES, Header, SegmentOpener, SegmentSealer, sealed_size};

use crate::kit::pattern;

/// Counts up from a given byte.
struct Counting(u8);

impl Chance for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for (byte, value) in bytes.iter_mut().zip(self.0..) {
            *byte = value;
        }
    }
}

const GOLDEN: [(usize, &[u8]); 5] = [
    (0, include_bytes!("../../golden/v1-0.sealed")),
    (1, include_bytes!("../../golden/v1-1.sealed")),
    (65_535, include_bytes!("../../golden/v1-65535.sealed")),
    (65_536, include_bytes!("../../golden/v1-65536.sealed")),
    (65_537, include_bytes!("../../golden/v1-65537.sealed")),
];

fn place() -> (DataKey, TenantId, BlobId) {
    let tenant = "ten_00000000000000000000000007".parse().unwrap();
    let blob = "blb_0000000000000000000000000b".parse().unwrap();
    (DataKey::generate(&Counting(0)), tenant, blob)
}

#[test]
fn sealing_yields_the_golden_bytes() {
    let (data_key, tenant, blob) = place();
    let mut salt = [0; 32];
    Counting(0x40).fill(&mut salt);
    for (size_bytes, golden) in GOLDEN {
        let mut sealer = SegmentSealer::new(&data_key, Header::new(salt), tenant, blob).unwrap();
        let mut sealed = vec![0; sealed_size(size_bytes as u64) as usize];
        sealed[..HEADER_BYTES].copy_from_slice(sealer.header());
        let written = sealer
            .seal(&pattern(size_bytes), End::Last, &mut sealed[HEADER_BYTES..])
            .unwrap();
        assert_eq!(written, sealed.len() - HEADER_BYTES);
        assert!(sealed == golden, "content of {size_bytes} bytes");
        assert!(
            sealer.seal(b"more", End::Last, &mut sealed).is_err(),
            "nothing comes after the last segment"
        );
    }
}

#[test]
fn golden_bytes_open() {
    let (data_key, tenant, blob) = place();
    for (size_bytes, golden) in GOLDEN {
        let (header, segments) = golden.split_first_chunk().unwrap();
        let opener = SegmentOpener::new(&data_key, header, tenant, blob).unwrap();
        let mut content = vec![0; size_bytes];
        assert_eq!(
            opener.open(0, End::Last, segments, &mut content),
            Ok(size_bytes)
        );
        assert!(content == pattern(size_bytes));
    }
}
