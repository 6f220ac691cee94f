//! What a folder on this machine must do besides the suite: above all, not be left.

use bailee_connect::{
    Connector, EntryKind, Failing, FailurePlan, FaultKind, LocalConfig, Replace, WriteOptions,
};

use super::{bytes, kind, local, open_local, path, take};

#[tokio::test]
async fn a_local_folder_cannot_be_left() {
    let root = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), b"secret").unwrap();
    std::os::unix::fs::symlink(outside.path(), root.path().join("link")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), root.path().join("file-link"))
        .unwrap();
    let far = open_local(local(root.path())).await.unwrap();
    for at in ["link/secret", "file-link"] {
        assert_eq!(
            kind(take(far.as_ref(), at, 0).await),
            FaultKind::PermissionDenied,
            "{at}"
        );
        assert_eq!(
            kind(far.write(&path(at), WriteOptions::default()).await),
            FaultKind::PermissionDenied,
            "{at}"
        );
    }
    for at in ["link/secret", "link/x"] {
        assert_eq!(
            kind(far.remove(&path(at)).await),
            FaultKind::PermissionDenied,
            "{at}"
        );
        assert_eq!(
            kind(far.mkdir(&path(at)).await),
            FaultKind::PermissionDenied,
            "{at}"
        );
        assert_eq!(
            kind(
                far.rename(&path("file-link"), &path(at), Replace::Yes)
                    .await
            ),
            FaultKind::PermissionDenied
        );
    }
    assert_eq!(
        kind(far.list(&path("link"), 5).await),
        FaultKind::PermissionDenied
    );
    assert_eq!(
        far.stat(&path("link")).await.unwrap().unwrap().kind,
        EntryKind::Link
    );
    assert_eq!(
        std::fs::read(outside.path().join("secret")).unwrap(),
        b"secret"
    );
}

#[tokio::test]
async fn only_allowed_local_roots_open() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("in")).unwrap();
    let allowed_roots = vec![root.path().to_owned()];
    let at = |folder: std::path::PathBuf| LocalConfig {
        folder,
        allowed_roots: allowed_roots.clone(),
    };
    open_local(at(root.path().join("in"))).await.unwrap();
    for folder in ["/", "/etc", "in", ""] {
        assert_eq!(
            kind(open_local(at(folder.into())).await),
            FaultKind::PermissionDenied,
            "{folder}"
        );
    }
    assert_eq!(
        kind(open_local(at(root.path().join("in/../.."))).await),
        FaultKind::PermissionDenied
    );
    assert_eq!(
        kind(open_local(at(root.path().join("no-such"))).await),
        FaultKind::NotFound
    );
    let none = LocalConfig {
        folder: root.path().to_owned(),
        allowed_roots: vec![],
    };
    assert_eq!(kind(open_local(none).await), FaultKind::PermissionDenied);
}

#[tokio::test]
async fn a_pipe_does_not_hold_us() {
    let root = tempfile::tempdir().unwrap();
    let pipe = root.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    let far = open_local(local(root.path())).await.unwrap();
    assert_eq!(
        kind(take(far.as_ref(), "pipe", 0).await),
        FaultKind::Unsupported
    );
    assert!(
        far.write(&path("pipe"), WriteOptions::default())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn the_failing_wrapper_fails_the_call_it_was_told_to() {
    let root = tempfile::tempdir().unwrap();
    let plan = FailurePlan::new(4, FaultKind::ConnectionLost);
    let far = Failing::new(open_local(local(root.path())).await.unwrap(), plan.clone());
    let mut writer = far
        .write(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    writer.write(bytes(10)).await.unwrap();
    assert_eq!(writer.flush().await.unwrap(), 10);
    assert_eq!(
        kind(writer.write(bytes(10)).await),
        FaultKind::ConnectionLost
    );
    writer.write(bytes(10)).await.unwrap();
    assert_eq!(plan.calls(), 5);
}
