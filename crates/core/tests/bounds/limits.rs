//! What bounds people, programs and receivers.

use bailee_auth::KeyText;
use bailee_core::{
    KeyChange, NewWebhook, Precondition, RemoteChange, RemoteSecret, TransferFilter,
};
use bailee_model::{ErrorKind, KeyLimits, Scope, TenantState, limit};

use crate::kit::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspension_is_not_undone_by_a_change_of_settings() {
    let site = Site::start().await;
    let key = site.core.first_operator().await.unwrap().unwrap();
    let operator = identify(&site.core, &key).await.unwrap();
    for round in 0..20 {
        let (core, admin) = (site.core.clone(), site.admin.clone());
        let change = tokio::spawn(async move {
            let settings = core.settings();
            let change = settings.change(&admin, |found| found.trash_seconds = Some(1000 + round));
            change.await
        });
        site.core
            .tenants()
            .suspend(&operator, site.tenant)
            .await
            .unwrap();
        change.await.unwrap().unwrap();
        let found = site
            .core
            .tenants()
            .get(&operator, site.tenant)
            .await
            .unwrap();
        assert_eq!(found.state, TenantState::Suspended, "round {round}");
        site.core
            .tenants()
            .activate(&operator, site.tenant)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_key_makes_no_wider_one() {
    let site = Site::start().await;
    let bounds = KeyLimits {
        networks: vec!["10.0.0.0/8".to_owned()],
        reads_per_minute: Some(10),
        ..KeyLimits::default()
    };
    let caller = site.bound(bounds.clone()).await;
    let made = |limits: KeyLimits| site.key(&caller, &[Scope::Admin], limits);
    let kind = |made: bailee_model::Result<KeyText>| made.err().map(|error| error.kind());
    let wider = Some(ErrorKind::ValidationFailed);
    assert_eq!(kind(made(KeyLimits::default()).await), wider);
    let elsewhere = KeyLimits {
        networks: vec!["0.0.0.0/0".to_owned()],
        ..bounds.clone()
    };
    assert_eq!(kind(made(elsewhere).await), wider);
    let faster = KeyLimits {
        reads_per_minute: Some(11),
        ..bounds.clone()
    };
    assert_eq!(kind(made(faster).await), wider);
    assert_eq!(kind(made(bounds).await), None);
    let Some(own) = site.core.whoami(&caller).await.unwrap() else {
        return;
    };
    let lifted = KeyChange {
        limits: Some(KeyLimits::default()),
        ..KeyChange::default()
    };
    let lifted = site.core.keys().update(&caller, own.key, lifted).await;
    assert_eq!(lifted.unwrap_err().kind(), ErrorKind::ValidationFailed);
}

#[tokio::test]
async fn live_keys_are_counted() {
    let site = Site::start().await;
    // The first key is one of them.
    for _ in 1..limit::LIVE_KEYS_MAX {
        site.key(&site.admin, &[Scope::FilesRead], KeyLimits::default())
            .await
            .unwrap();
    }
    let next = || site.key(&site.admin, &[Scope::FilesRead], KeyLimits::default());
    assert_eq!(next().await.err().unwrap().kind(), ErrorKind::QuotaExceeded);
    let keys = site
        .core
        .keys()
        .list(&site.admin, None, all())
        .await
        .unwrap();
    site.core
        .keys()
        .revoke(&site.admin, keys.data[0].0.id)
        .await
        .unwrap();
    next().await.unwrap();
}

#[tokio::test]
async fn a_revoked_key_is_told_so() {
    let site = Site::start().await;
    let key = site
        .key(&site.admin, &[Scope::FilesRead], KeyLimits::default())
        .await
        .unwrap();
    identify(&site.core, &key).await.unwrap();
    site.core
        .keys()
        .revoke(&site.admin, key.id())
        .await
        .unwrap();
    let error = identify(&site.core, &key).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CredentialRevoked);
}

#[tokio::test]
async fn webhooks_stay_within_the_folders_of_a_key() {
    let site = Site::start().await;
    let caller = site.bound(below("/a")).await;
    let webhooks = site.core.webhooks();
    let (open_one, _) = webhooks.create(&site.admin, hook(None)).await.unwrap();
    for prefix in [None, Some("/b"), Some("/")] {
        let error = webhooks.create(&caller, hook(prefix)).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::ValidationFailed, "{prefix:?}");
    }
    let (own, _) = webhooks.create(&caller, hook(Some("/a/b"))).await.unwrap();
    let shown = webhooks.list(&caller, all()).await.unwrap().data;
    assert_eq!(
        shown.iter().map(|hook| hook.id).collect::<Vec<_>>(),
        [own.id]
    );
    let hidden = webhooks
        .rotate(&caller, open_one.id, None)
        .await
        .err()
        .unwrap();
    assert_eq!(hidden.kind(), ErrorKind::NotFound);
    let kind = bailee_model::EventType::Ping;
    let delivery = webhooks.test(&site.admin, open_one.id, kind).await.unwrap();
    let deliveries = site.core.deliveries();
    let hidden = deliveries.get(&caller, delivery.id).await.unwrap_err();
    assert_eq!(hidden.kind(), ErrorKind::NotFound);
    let shown = deliveries
        .list(&caller, bailee_core::DeliveryFilter::default(), all())
        .await;
    assert!(shown.unwrap().data.is_empty());
}

#[tokio::test]
async fn events_reach_as_many_webhooks_as_there_may_be() {
    let site = Site::start().await;
    for _ in 0..limit::WEBHOOKS_MAX {
        site.core
            .webhooks()
            .create(&site.admin, hook(None))
            .await
            .unwrap();
    }
    let one_more = site.core.webhooks().create(&site.admin, hook(None)).await;
    assert_eq!(one_more.err().unwrap().kind(), ErrorKind::QuotaExceeded);
    site.core
        .remotes()
        .create(&site.admin, remote())
        .await
        .unwrap();
    for _ in 0..60 {
        site.core
            .transfers()
            .submit(&site.admin, transfer())
            .await
            .unwrap();
    }
    while site.core.upkeep().seal_journal().await.unwrap() > 0 {}
    while site.core.upkeep().dispatch_events().await.unwrap() > 0 {}
    let last = site
        .core
        .transfers()
        .list(&site.admin, TransferFilter::default(), all())
        .await;
    let last = last.unwrap().data[0].id.to_string();
    let found = site.core.deliveries();
    let found = found
        .list(&site.admin, bailee_core::DeliveryFilter::default(), all())
        .await;
    let of_last = found
        .unwrap()
        .data
        .iter()
        .filter(|one| one.body.contains(&last))
        .count();
    assert_eq!(of_last as u64, limit::WEBHOOKS_MAX);
}

#[tokio::test]
async fn events_from_before_a_webhook_are_passed_over() {
    let site = Site::start().await;
    site.core
        .remotes()
        .create(&site.admin, remote())
        .await
        .unwrap();
    while site.core.upkeep().seal_journal().await.unwrap() > 0 {}
    assert!(site.core.upkeep().dispatch_events().await.unwrap() > 0);
    assert_eq!(site.core.upkeep().dispatch_events().await.unwrap(), 0);
    site.core
        .webhooks()
        .create(&site.admin, hook(None))
        .await
        .unwrap();
    while site.core.upkeep().seal_journal().await.unwrap() > 0 {}
    while site.core.upkeep().dispatch_events().await.unwrap() > 0 {}
    let found = site.core.deliveries();
    let found = found
        .list(&site.admin, bailee_core::DeliveryFilter::default(), all())
        .await;
    assert!(found.unwrap().data.is_empty());
}

#[tokio::test]
async fn a_receiver_is_not_link_local() {
    let site = Site::start().await;
    for url in [
        "https://169.254.169.254/x",
        "https://[fe80::1]/",
        "https://0.0.0.0/",
    ] {
        let new = NewWebhook {
            url: url.to_owned(),
            ..hook(None)
        };
        let error = site
            .core
            .webhooks()
            .create(&site.admin, new)
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::AddressNotAllowed, "{url}");
    }
}

#[tokio::test]
async fn a_moved_remote_needs_its_credential_again() {
    let site = Site::start().await;
    let remotes = site.core.remotes();
    let made = remotes.create(&site.admin, remote()).await.unwrap();
    let moved = RemoteChange {
        address: Some(sftp("other.example")),
        ..RemoteChange::default()
    };
    let none = || Precondition::None;
    let error = remotes
        .update(&site.admin, made.id, |_| Ok(moved.clone()), none())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ValidationFailed);
    let moved = RemoteChange {
        secret: Some(RemoteSecret::password("hunter2")),
        ..moved
    };
    remotes
        .update(&site.admin, made.id, |_| Ok(moved.clone()), none())
        .await
        .unwrap();
}
