//! Uploads whose parts, ends and quota meet: what is published is what was read, and nothing is counted twice or lost.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod kit;

use bailee_core::{FileRef, NewFile, NewKey, NewPart, Precondition};
use bailee_model::{ErrorKind, KeyLimits, PageRequest, limit};
use futures::{StreamExt, future, stream};
use kit::{PIECE, Site, Together, bytes_of, pieces};

const MIB: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_comes_while_others_are_joined_is_in_the_file_or_refused() {
    let site = Site::start().await;
    for number in 0..30 {
        let upload = site.upload(&format!("/u/{number}")).await;
        site.part(upload, 0, b"first").await.unwrap();
        site.part(upload, 1, b"second").await.unwrap();
        let (placed, ..) = tokio::join!(
            site.complete(upload),
            site.part(upload, 0, b"another first"),
            site.part(upload, 2, b"third"),
        );
        let file = match placed {
            Ok(placed) => placed.file,
            // Parts kept coming; the next try has them.
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StateConflict);
                site.complete(upload).await.unwrap().file
            }
        };
        let content = site.content(FileRef::Id(file.id)).await;
        assert_eq!(file.hash, kit::sha256(&content));
        assert_eq!(file.size_bytes, content.len() as u64);
    }
    site.check_usage().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completing_several_times_at_once_gives_one_answer() {
    let site = Site::start().await;
    for number in 0..10 {
        let upload = site.upload(&format!("/u/{number}")).await;
        site.part(upload, 0, b"content").await.unwrap();
        let answers = future::join_all((0..6).map(|_| site.complete(upload))).await;
        let files: Vec<_> = answers
            .into_iter()
            .map(|placed| placed.unwrap().file)
            .collect();
        assert!(files.windows(2).all(|pair| pair.first() == pair.last()));
    }
    site.check_usage().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_that_come_while_an_upload_is_given_up_are_not_counted() {
    let site = Site::start().await;
    for number in 0..30 {
        let upload = site.upload(&format!("/u/{number}")).await;
        site.part(upload, 0, b"first").await.unwrap();
        let uploads = site.core.uploads();
        let (aborted, ..) = tokio::join!(
            uploads.abort(&site.caller, upload),
            site.part(upload, 0, b"another first"),
            site.part(upload, 1, b"second"),
            site.part(upload, 2, b"third"),
        );
        aborted.unwrap();
    }
    assert_eq!(site.check_usage().await.bytes, 0);
}

#[tokio::test]
async fn a_replaced_part_starts_the_running_hash_over() {
    let site = Site::start().await;
    let upload = site.upload("/u/f").await;
    for content in [b"one", b"two", b"six"] {
        for number in [1, 0, 2] {
            site.part(upload, number, content).await.unwrap();
        }
    }
    site.part(upload, 1, b"ten").await.unwrap();
    let file = site.complete(upload).await.unwrap().file;
    assert_eq!(file.hash, kit::sha256(b"sixtensix"));
}

#[tokio::test]
async fn parts_cannot_grow_past_the_largest_file() {
    let site = Site::with_file_bytes_max(1_000_000).await;
    let upload = site.upload("/u/f").await;
    site.part(upload, 0, &vec![1; 600_000]).await.unwrap();
    let refused = site.part(upload, 1, &vec![2; 600_000]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::FileTooLarge);
    let refused = site.part(upload, 1, &vec![2; 1_000_001]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::FileTooLarge);
    // A part that is replaced makes room.
    site.part(upload, 0, &vec![1; 400_000]).await.unwrap();
    site.part(upload, 1, &vec![2; 600_000]).await.unwrap();
    assert_eq!(
        site.complete(upload).await.unwrap().file.size_bytes,
        1_000_000
    );
    // The part that was replaced rests for a while; what was refused is gone.
    site.await_blobs(3).await;
    site.check_usage().await;
}

#[tokio::test]
async fn a_stream_ends_where_the_quota_does() {
    let site = Site::start().await;
    site.set_quota(Some(2 * MIB as u64)).await;
    let (endless, read) = kit::endless();
    let refused = site.put("/f", endless).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::QuotaExceeded);
    assert!(read.bytes() <= 3 * MIB as u64, "{} bytes", read.bytes());
    let upload = site.upload("/u").await;
    site.part(upload, 0, &vec![1; MIB]).await.unwrap();
    let (endless, read) = kit::endless();
    let refused = site.part_of(upload, 1, endless).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::QuotaExceeded);
    assert!(read.bytes() <= 2 * MIB as u64, "{} bytes", read.bytes());
    // What is replaced gives its room back.
    site.part(upload, 0, &vec![2; 2 * MIB]).await.unwrap();
    site.check_usage().await;
}

#[tokio::test]
async fn streams_share_what_the_quota_leaves() {
    const STREAMS: usize = 8;
    const QUOTA: usize = 4 * MIB;
    let site = Site::start().await;
    site.set_quota(Some(QUOTA as u64)).await;
    // Each would fit alone. Nobody goes past the first MiB before everybody was there or was refused.
    let together = Together::new(STREAMS, MIB as u64);
    let puts = (0..STREAMS).map(|number| {
        let (path, stream) = (format!("/f{number}"), together.stream());
        let site = &site;
        async move { site.put(&path, stream).await }
    });
    let answers = future::join_all(puts).await;
    for answer in answers {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::QuotaExceeded);
    }
    // What is not counted: content that may yet fit its row, and the piece that is refused. A stream that was refused
    // makes room for the others, so what all have brought in sum has no bound but what each may bring.
    let uncounted = STREAMS * (limit::INLINE_BYTES_MAX + PIECE);
    let held = together.held_bytes_max();
    assert!(held <= (QUOTA + uncounted) as u64, "{held} bytes at once");
    // Nothing of it counts any longer.
    site.put("/g", pieces(vec![1; QUOTA])).await.unwrap();
}

#[tokio::test]
async fn what_gets_no_name_is_removed_at_once() {
    let site = Site::start().await;
    site.put("/f", pieces(vec![1; MIB])).await.unwrap();
    // There is a file; another hash; another size; a body that is cut.
    let refused = site.put("/f", pieces(vec![2; MIB])).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::FileExists);
    let (files, uploads) = (site.core.files(), site.core.uploads());
    let stage = || files.stage(&site.caller, "files.upload", pieces(vec![3; MIB]));
    drop(stage().await.unwrap());
    let new = NewFile {
        hash: Some("00".repeat(32)),
        ..kit::new_file("/h")
    };
    let staged = stage().await.unwrap();
    let placed = files.place(&site.caller, staged, new, Precondition::None);
    let refused = placed.await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::DigestMismatch);
    let part = NewPart {
        upload: site.upload("/u").await,
        number: 0,
        digest: Some([0; 32]),
        size_bytes: None,
    };
    let put = uploads.put_part(&site.caller, part, pieces(vec![4; MIB]));
    assert_eq!(put.await.unwrap_err().kind(), ErrorKind::DigestMismatch);
    let cut = pieces(vec![5; MIB]).chain(stream::once(async {
        Err(bailee_model::Error::new(ErrorKind::RequestTimeout, "cut"))
    }));
    site.put("/i", cut.boxed()).await.unwrap_err();
    site.await_blobs(1).await;
    site.await_no_reservation().await;
    assert_eq!(
        bytes_of(&site.content(kit::at("/f")).await),
        (1, MIB),
        "what has a name stays"
    );
}

#[tokio::test]
async fn a_list_shows_no_upload_outside_the_prefix() {
    let site = Site::start().await;
    let shown = site.upload("/mine/f").await;
    site.upload("/others/f").await;
    let new = NewKey {
        name: "bound".to_owned(),
        principal: None,
        scopes: [
            bailee_model::Scope::FilesRead,
            bailee_model::Scope::FilesWrite,
        ]
        .into_iter()
        .collect(),
        limits: KeyLimits {
            path_prefixes: vec!["/mine".parse().unwrap()],
            ..KeyLimits::default()
        },
        expires_at: None,
    };
    let (_, key) = site.core.keys().create(&site.caller, new).await.unwrap();
    let bound = site.caller_of(&key).await;
    let page = || PageRequest {
        limit: 10,
        after: None,
    };
    let found = site.core.uploads().list(&bound, page()).await.unwrap();
    assert_eq!(
        found
            .data
            .iter()
            .map(|one| one.upload.id)
            .collect::<Vec<_>>(),
        [shown]
    );
    let all = site
        .core
        .uploads()
        .list(&site.caller, page())
        .await
        .unwrap();
    assert_eq!(all.data.len(), 2);
}
