//! Whatever happens to the sealed bytes is noticed, and no byte of what was changed leaves.

use bailee_model::{BlobId, TenantId};
use bailee_vault::{
    DataKey, End, HEADER_BYTES, OpenBlob, OpenError, Placement, SEGMENT_BYTES, ScrubReport,
    SegmentOpener, TAG_BYTES,
};
use std::fs;

use crate::kit::{Kit, collect, pattern};

const SEALED_SEGMENT: usize = SEGMENT_BYTES + TAG_BYTES;

async fn scrub(kit: &Kit, size_bytes: usize, sealed: Vec<u8>) -> Result<ScrubReport, OpenError> {
    let command = kit.opening(size_bytes as u64, Placement::Inline(sealed));
    kit.vault.scrub_blob(command).await
}

async fn sealed_inline(kit: &Kit, content: &[u8]) -> Vec<u8> {
    match kit.seal(content, usize::MAX).await.placement {
        Placement::Inline(sealed) => sealed,
        Placement::Stored => panic!("small content is inline"),
    }
}

#[tokio::test]
async fn every_flipped_bit_of_a_small_blob_is_noticed() {
    let kit = Kit::new();
    let sealed = sealed_inline(&kit, b"a secret").await;
    assert!(scrub(&kit, 8, sealed.clone()).await.is_ok());
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let found = scrub(&kit, 8, changed).await;
        assert!(matches!(found, Err(OpenError::Corrupt { .. })), "bit {bit}");
    }
}

/// Every bit of header, tags and the bytes around the borders of segments, and a sample of the rest. The opener is used
/// directly, since each of thousands of trials needs only its own segment.
#[tokio::test]
async fn flipped_bits_of_many_segments_are_noticed() {
    let kit = Kit::new();
    let content = pattern(2 * SEGMENT_BYTES + 100);
    let sealed = sealed_inline(&kit, &content).await;
    let header: &[u8; HEADER_BYTES] = sealed.first_chunk().unwrap();
    let mut opened = vec![0; SEGMENT_BYTES];
    for (index, segment) in sealed[HEADER_BYTES..].chunks(SEALED_SEGMENT).enumerate() {
        let end = if index == 2 { End::Last } else { End::More };
        let open = |header: &[u8; HEADER_BYTES], segment: &[u8], opened: &mut [u8]| {
            SegmentOpener::new(&kit.data_key, header, kit.tenant, kit.blob)?.open(
                index as u32,
                end,
                segment,
                opened,
            )
        };
        assert!(open(header, segment, &mut opened).is_ok());
        let near =
            |byte: usize| byte < 32 || byte + 32 >= segment.len() || byte.is_multiple_of(4_093);
        for bit in (0..segment.len() * 8).filter(|bit| near(bit / 8)) {
            let mut changed = segment.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                open(header, &changed, &mut opened).is_err(),
                "segment {index} bit {bit}"
            );
        }
        for bit in 0..HEADER_BYTES * 8 {
            let mut changed = *header;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                open(&changed, segment, &mut opened).is_err(),
                "header bit {bit}"
            );
        }
    }
}

#[tokio::test]
async fn cut_longer_swapped_and_spliced_blobs_are_noticed() {
    let kit = Kit::new();
    let size = 2 * SEGMENT_BYTES + 100;
    let sealed = sealed_inline(&kit, &pattern(size)).await;
    let other = sealed_inline(&kit, &pattern(size)).await;
    assert!(sealed != other, "each sealing has its own salt");
    let (first, second) = (HEADER_BYTES, HEADER_BYTES + SEALED_SEGMENT);
    let third = second + SEALED_SEGMENT;

    let mut swapped = sealed.clone();
    swapped[first..third].rotate_left(SEALED_SEGMENT);
    let mut spliced = sealed.clone();
    spliced[second..third].copy_from_slice(&other[second..third]);
    let mut doubled = sealed.clone();
    doubled.copy_within(first..second, second);
    let mut foreign_header = sealed.clone();
    foreign_header[..first].copy_from_slice(&other[..first]);
    let longer = [sealed.as_slice(), &[0]].concat();
    for changed in [
        swapped,
        spliced,
        doubled,
        foreign_header,
        longer,
        Vec::new(),
    ] {
        let found = scrub(&kit, size, changed).await;
        assert!(matches!(found, Err(OpenError::Corrupt { .. })));
    }
    // A cut blob is noticed even if the row lies about the size in the same way.
    for (cut, claimed) in [
        (third, 2 * SEGMENT_BYTES),
        (second, SEGMENT_BYTES),
        (first + TAG_BYTES, 0),
    ] {
        assert!(scrub(&kit, claimed, sealed[..cut].to_vec()).await.is_err());
        assert!(scrub(&kit, size, sealed[..cut].to_vec()).await.is_err());
    }
    for cut in (0..sealed.len()).step_by(997) {
        assert!(scrub(&kit, size, sealed[..cut].to_vec()).await.is_err());
    }
    assert!(scrub(&kit, size, sealed).await.is_ok());
}

#[tokio::test]
async fn a_blob_opens_only_with_its_key_in_its_place() {
    let kit = Kit::new();
    let sealed = sealed_inline(&kit, b"content").await;
    let other_key = DataKey::generate(&kit.chance);
    let right = || kit.opening(7, Placement::Inline(sealed.clone()));
    let wrong = [
        OpenBlob {
            blob: BlobId::from_bits(12),
            ..right()
        },
        OpenBlob {
            tenant: TenantId::from_bits(8),
            ..right()
        },
        OpenBlob {
            data_key: &other_key,
            ..right()
        },
    ];
    for command in wrong {
        let found = collect(&kit.vault, command, 0..7).await;
        assert!(matches!(found, Err(OpenError::Corrupt { .. })));
    }
    assert_eq!(
        collect(&kit.vault, right(), 0..7).await.unwrap(),
        b"content"
    );
}

#[tokio::test]
async fn a_damaged_file_yields_what_precedes_and_an_error() {
    let kit = Kit::new();
    let content = pattern(3 * bailee_vault::limit::BATCH_BYTES);
    let sealed = kit.seal(&content, 0).await;
    let path = kit.file();
    let written = fs::read(&path).unwrap();
    let mut changed = written.clone();
    let at = changed.len() - 1;
    changed[at] ^= 1;
    fs::write(&path, &changed).unwrap();
    let early = 2 * bailee_vault::limit::BATCH_BYTES as u64;
    assert!(
        kit.read(&sealed, 0..early).await.is_ok(),
        "other segments are not touched"
    );
    let found = kit.read(&sealed, 0..sealed.size_bytes).await;
    assert!(matches!(found, Err(OpenError::Corrupt { .. })));

    fs::write(&path, &written[..written.len() - 1]).unwrap();
    assert!(matches!(
        kit.read(&sealed, 0..1).await,
        Err(OpenError::Corrupt { .. })
    ));
    fs::remove_file(&path).unwrap();
    assert!(matches!(
        kit.read(&sealed, 0..1).await,
        Err(OpenError::Missing { .. })
    ));
}
