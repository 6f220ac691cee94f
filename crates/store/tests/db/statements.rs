//! Every statement of the crate against the real schema.

use bailee_store::{MIGRATIONS, SqliteOptions, statements};

use crate::kit::{NOW, Place};

#[tokio::test]
async fn every_statement_prepares_on_both_databases() {
    let place = Place::new();
    let sqlite = bailee_store::Db::open_sqlite(
        &place.path(),
        SqliteOptions {
            create: true,
            ..SqliteOptions::default()
        },
    )
    .unwrap();
    sqlite.migrate(MIGRATIONS, NOW).await.unwrap();
    let mut all = vec![sqlite];
    if let Some((owner, app)) = place.postgres().await {
        owner.migrate(MIGRATIONS, NOW).await.unwrap();
        all.push(app);
    }
    for db in all {
        for (name, sql) in statements() {
            let prepared = db.check(&[sql]).await;
            assert!(prepared.is_ok(), "{name}: {prepared:?}");
        }
        db.close().await;
    }
}
