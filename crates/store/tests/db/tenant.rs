//! Each tenant alone.

use bailee_model::TenantId;
use bailee_store::{DbError, Guard, Scope, Script, Sql, values};

use crate::kit::{ACME, BOLT, GROW, MIGRATIONS, NOW, Place, SELECT, ids, insert, size_bytes};

#[tokio::test]
async fn a_tenant_sees_and_changes_only_its_own() {
    let place = Place::new();
    for db in place.each().await {
        db.run(insert(ACME, "a")).await.unwrap();
        db.run(insert(BOLT, "b")).await.unwrap();
        // A tenant statement with another tenant's id is refused on both databases.
        let mut script = Script::tenant(BOLT);
        script.push(GROW, values![ACME, "a", 1i64], Guard::One, "grow");
        assert!(matches!(db.run(script).await, Err(DbError::Foreign { .. })));
        let foreign = db
            .fetch(Scope::Tenant(BOLT), SELECT, values![ACME, "a"])
            .await;
        assert!(matches!(foreign, Err(DbError::Foreign { .. })));
        assert_eq!(ids(&db, Scope::Across).await, ["a", "b"]);
        db.close().await;
    }
}

#[tokio::test]
async fn postgres_holds_careless_statements_to_their_tenant() {
    const CARELESS: Sql = Sql::across("UPDATE thing SET size_bytes = 9");
    const SMUGGLE: Sql =
        Sql::across("INSERT INTO thing (tenant_id, id, size_bytes) VALUES ($1, $2, 0)");
    let place = Place::new();
    let Some((owner, app)) = place.postgres().await else {
        return;
    };
    owner.migrate(MIGRATIONS, NOW).await.unwrap();
    for db in [&owner, &app] {
        let _ = db.run(insert(ACME, "a")).await;
        let _ = db.run(insert(BOLT, "b")).await;
        assert_eq!(ids(db, Scope::Tenant(ACME)).await, ["a"]);
        assert_eq!(
            ids(db, Scope::Tenant(TenantId::from_bits(3))).await,
            Vec::<String>::new()
        );
        assert_eq!(ids(db, Scope::Across).await, ["a", "b"]);
        let mut script = Script::tenant(BOLT);
        script.push(CARELESS, vec![], Guard::Any, "careless");
        assert_eq!(db.run(script).await, Ok(vec![1]));
        let mut script = Script::tenant(BOLT);
        script.push(SMUGGLE, values![ACME, "smuggled"], Guard::Any, "smuggle");
        assert!(matches!(db.run(script).await, Err(DbError::Foreign { .. })));
    }
    assert_eq!(size_bytes(&app, "a").await, 0);
    // Without a setting there are no rows: the setting ended with each transaction.
    let url = std::env::var("BAILEE_TEST_POSTGRES_URL").unwrap();
    let mut config: tokio_postgres::Config = url.parse().unwrap();
    config
        .user("bailee_app")
        .password("test-only")
        .dbname(&place.name);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    assert!(
        client
            .query("SELECT id FROM thing", &[])
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        client
            .batch_execute("CREATE TABLE mine (a TEXT)")
            .await
            .is_err(),
        "the role must not change the schema"
    );
    assert!(
        client
            .batch_execute("UPDATE schema_migration SET checksum = ''")
            .await
            .is_err()
    );
}
