//! What was sealed opens as it was, whatever its size, however it was cut, and any range of it.

use std::convert::Infallible;
use std::pin::pin;

use aws_lc_rs::digest::{SHA256, digest};
use bailee_model::BlobId;
use bailee_vault::{Digest, Placement, SEGMENT_BYTES, SealBlob, limit, sealed_size};
use bytes::Bytes;
use futures::{StreamExt, stream};
use proptest::prelude::*;

use crate::kit::{Kit, chunks, pattern};

const SEGMENT: usize = SEGMENT_BYTES;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap()
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..200_usize,
        0..3 * SEGMENT,
        0..6 * limit::BATCH_BYTES,
        (0..10_usize, 0..3_usize)
            .prop_map(|(segments, more)| (segments * SEGMENT + more).saturating_sub(1)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_range_of_any_content_opens(
        size in sizes(),
        chunk_bytes in prop_oneof![500..5_000_usize, 5_000..1_000_000_usize],
        inline_bytes_max in prop_oneof![Just(0_usize), Just(65_536), Just(usize::MAX)],
        cuts in prop::collection::vec((0.0..=1.0_f64, 0.0..=1.0_f64), 4),
    ) {
        runtime().block_on(async {
            let (kit, content) = (Kit::new(), pattern(size));
            let sealed = kit.seal_chunks(chunks(&content, chunk_bytes), inline_bytes_max).await;
            prop_assert_eq!(sealed.size_bytes, size as u64);
            prop_assert_eq!(sealed.sealed_bytes, sealed_size(size as u64));
            prop_assert!(sealed.sha256.unwrap().as_slice() == digest(&SHA256, &content).as_ref());
            let is_inline = size <= inline_bytes_max.min(limit::INLINE_BYTES_MAX);
            prop_assert_eq!(matches!(sealed.placement, Placement::Inline(_)), is_inline);

            prop_assert!(kit.read(&sealed, 0..size as u64).await.unwrap() == content);
            for (from, to) in cuts {
                let (from, to) = ((from * size as f64) as usize, (to * size as f64) as usize);
                let (from, to) = (from.min(to), from.max(to));
                let opened = kit.read(&sealed, from as u64..to as u64).await.unwrap();
                prop_assert!(opened == content[from..to], "{}..{} of {}", from, to, size);
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn ranges_at_the_edges_of_segments_open() {
    let (kit, content) = (Kit::new(), pattern(2 * SEGMENT + 2));
    let sealed = kit.seal(&content, 0).await;
    let edges = [
        0,
        1,
        SEGMENT - 1,
        SEGMENT,
        SEGMENT + 1,
        2 * SEGMENT,
        2 * SEGMENT + 1,
        2 * SEGMENT + 2,
    ];
    for from in edges {
        for to in edges.into_iter().filter(|to| *to >= from) {
            let opened = kit.read(&sealed, from as u64..to as u64).await.unwrap();
            assert!(opened == content[from..to], "{from}..{to}");
        }
    }
    let past = sealed.size_bytes + 1;
    assert!(kit.read(&sealed, 0..past).await.is_err());
    assert!(kit.read(&sealed, past..past).await.is_err());
}

#[tokio::test]
async fn empty_content_is_sealed_inline_and_as_a_file() {
    for inline_bytes_max in [0, 1] {
        let kit = Kit::new();
        let sealed = kit.seal(b"", inline_bytes_max).await;
        assert_eq!(sealed.size_bytes, 0);
        assert_eq!(sealed.detected_type, None);
        assert!(kit.read(&sealed, 0..0).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_digest_is_made_only_when_asked_for_and_types_are_detected() {
    let kit = Kit::new();
    let content = [b"%PDF-1.7\n".to_vec(), pattern(300_000)].concat();
    let command = SealBlob {
        digest: Digest::None,
        ..kit.command(0)
    };
    let sealed = kit
        .vault
        .seal(command, chunks(&content, 7), &kit.chance)
        .await
        .unwrap();
    assert_eq!(sealed.sha256, None);
    assert_eq!(sealed.detected_type, Some("application/pdf"));
    assert!(kit.read(&sealed, 0..sealed.size_bytes).await.unwrap() == content);
}

#[tokio::test]
async fn empty_chunks_and_one_huge_chunk_are_no_different() {
    let (kit, content) = (Kit::new(), pattern(3 * limit::BATCH_BYTES));
    let pieces: [Result<Bytes, Infallible>; 3] = [
        Ok(Bytes::new()),
        Ok(Bytes::from(content.clone())),
        Ok(Bytes::new()),
    ];
    let sealed = kit.seal_chunks(stream::iter(pieces), 65_536).await;
    assert!(kit.read(&sealed, 0..sealed.size_bytes).await.unwrap() == content);
}

#[tokio::test]
async fn many_at_once_on_one_blocking_thread_do_not_lock_up() {
    let waiting = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .build()
            .unwrap();
        runtime.block_on(async {
            let kits: Vec<_> = (0..8).map(|_| Kit::new()).collect();
            let content = pattern(5 * limit::BATCH_BYTES + 1);
            let sealed =
                futures::future::join_all(kits.iter().map(|kit| kit.seal(&content, 0))).await;
            for (kit, sealed) in kits.iter().zip(&sealed) {
                assert!(kit.read(sealed, 0..sealed.size_bytes).await.unwrap() == content);
            }
        });
    });
    waiting.join().unwrap();
}

#[tokio::test]
async fn uploads_that_stand_still_with_all_the_memory_do_not_stop_another() {
    let (kit, content) = (Kit::new(), pattern(5 * limit::BATCH_BYTES + 1));
    let standing = (0..limit::BATCHES_ALL_MAX as u128).map(|at| {
        let command = SealBlob {
            blob: BlobId::from_bits(1_000 + at),
            ..kit.command(0)
        };
        let begun = chunks(&content[..100_000], 50_000).chain(stream::pending());
        kit.vault.seal(command, begun, &kit.chance)
    });
    let mut standing = pin!(futures::future::join_all(standing));
    assert!(futures::poll!(&mut standing).is_pending());
    let sealed = kit.seal(&content, 0).await;
    assert!(kit.read(&sealed, 0..sealed.size_bytes).await.unwrap() == content);
}
