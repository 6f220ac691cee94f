//! FTPS servers that hang, flood or lie: a fault in good time, and never wrong bytes.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod fake_ftps;

use std::time::Duration;

use bailee_connect::{
    Connector, ConnectorSpec, EgressGuard, FaultKind, FtpsConfig, FtpsTimes, ReadFrom, RemotePath,
    Result, WriteOptions, open,
};
use bytes::Bytes;
use fake_ftps::{PASSWORD, SIZE, Vice, start};
use futures::TryStreamExt;

fn path(text: &str) -> RemotePath {
    text.parse().unwrap()
}

async fn sign_in(config: FtpsConfig) -> Result<Box<dyn Connector>> {
    let guard = EgressGuard::strict().allowing_loopback();
    open(ConnectorSpec::Ftps(config), &guard).await
}

async fn far(vice: Vice) -> Box<dyn Connector> {
    sign_in(start(vice).await).await.unwrap()
}

async fn read(far: &dyn Connector) -> Result<usize> {
    let stream = far.read(&path("a"), ReadFrom::default()).await?;
    let pieces: Vec<Bytes> = stream.try_collect().await?;
    Ok(pieces.concat().len())
}

async fn write(far: &dyn Connector, count: usize) -> Result<u64> {
    let mut writer = far.write(&path("a"), WriteOptions::default()).await?;
    for _ in 0..count / 100_000 {
        writer.write(vec![b'y'; 100_000].into()).await?;
    }
    writer.finish().await
}

fn kind<T>(result: Result<T>) -> FaultKind {
    result.err().map(|fault| fault.kind().clone()).unwrap()
}

#[tokio::test]
async fn the_fake_without_vices_serves() {
    let far = far(Vice::None).await;
    assert_eq!(read(far.as_ref()).await.unwrap(), SIZE);
    assert_eq!(write(far.as_ref(), 300_000).await.unwrap(), 300_000);
    assert_eq!(far.list(&path("/"), 10).await.unwrap().entries.len(), 1);
}

#[tokio::test]
async fn nobody_signs_in_to_what_is_not_safe() {
    for (vice, expected) in [
        (Vice::GreetsBusy, FaultKind::Busy),
        (Vice::GreetsForEver, FaultKind::Protocol),
        (Vice::IsNoFtp, FaultKind::Protocol),
        (Vice::HasNoTls, FaultKind::Unsupported),
        (Vice::SpeaksBeforeTls, FaultKind::Protocol),
        (Vice::ProtectsNothing, FaultKind::Unsupported),
        (Vice::RepeatsThePassword, FaultKind::AuthFailed),
    ] {
        let fault = sign_in(start(vice).await).await.err().unwrap();
        assert_eq!(fault.kind(), &expected, "{vice:?}: {fault:?}");
        assert!(!format!("{fault:?}").contains(PASSWORD), "{fault:?}");
    }
    let mut config = start(Vice::HangsAtOnce).await;
    config.times = FtpsTimes {
        sign_in: Duration::from_millis(300),
        ..config.times
    };
    assert_eq!(kind(sign_in(config).await), FaultKind::Timeout);
}

#[tokio::test]
async fn data_goes_where_the_control_connection_goes() {
    let far = far(Vice::NamesAnotherAddress).await;
    assert_eq!(read(far.as_ref()).await.unwrap(), SIZE);
    assert_eq!(read(far.as_ref()).await.unwrap(), SIZE);
}

#[tokio::test]
async fn reads_that_lie_are_found_out() {
    for (vice, expected) in [
        (Vice::EndsReadsEarly, FaultKind::ConnectionLost),
        (Vice::SendsTooMuch, FaultKind::Changed),
        (Vice::HangsInData, FaultKind::Timeout),
        (Vice::SaysGoodBye, FaultKind::ConnectionLost),
        (Vice::AnswersDoneAtOnce, FaultKind::Protocol),
    ] {
        let far = far(vice).await;
        let fault = read(far.as_ref()).await.unwrap_err();
        assert_eq!(fault.kind(), &expected, "{vice:?}: {fault:?}");
    }
}

#[tokio::test]
async fn writes_that_are_not_kept_are_found_out() {
    for (vice, expected) in [
        (Vice::HangsAfterWrites, FaultKind::Timeout),
        (Vice::ForgetsWrites, FaultKind::ConnectionLost),
        (Vice::RefusesInTheMiddle, FaultKind::OutOfSpace),
    ] {
        let far = far(vice).await;
        let fault = write(far.as_ref(), 20_000_000).await.unwrap_err();
        assert_eq!(fault.kind(), &expected, "{vice:?}: {fault:?}");
    }
}

#[tokio::test]
async fn listings_that_lie_are_cut_or_refused() {
    let endless = far(Vice::ListsForEver).await;
    let listing = endless.list(&path("/"), usize::MAX).await.unwrap();
    assert!(listing.is_cut && listing.entries.len() <= 10_000);
    for (vice, expected) in [
        (Vice::ListsOneEndlessLine, FaultKind::Protocol),
        (Vice::CutsListings, FaultKind::ConnectionLost),
    ] {
        let far = far(vice).await;
        assert_eq!(kind(far.list(&path("/"), 10).await), expected, "{vice:?}");
    }
    let strange = far(Vice::ListsStrangely).await;
    let listing = strange.list(&path("/"), 10).await.unwrap();
    assert_eq!((listing.entries.len(), listing.unnameable_count), (1, 4));
}
