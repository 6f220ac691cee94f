//! Migrations.

use bailee_store::{DbError, Migration, Sql};

use crate::kit::{ENQUEUE, GROW, IDS, INSERT, LEASE, MIGRATIONS, NOW, Place, SELECT, SWAP};

#[tokio::test]
async fn migrations_are_applied_once_and_never_change() {
    const CHANGED: &[Migration] = &[
        Migration {
            number: 1,
            name: "things and a queue",
            text: "CREATE TABLE other (a TEXT);\n",
            tenant_tables: &[],
        },
        MIGRATIONS[1],
    ];
    const BROKEN: &[Migration] = &[
        MIGRATIONS[0],
        MIGRATIONS[1],
        Migration {
            number: 3,
            name: "broken",
            text: "CREATE TABLE third (a TEXT);\nCREATE nonsense;\n",
            tenant_tables: &[],
        },
    ];
    const OLDER: &[Migration] = &[MIGRATIONS[0]];
    let place = Place::new();
    let mut all = vec![place.sqlite()];
    all.extend(place.postgres().await.map(|(owner, _)| owner));
    for db in all {
        assert_eq!(db.schema_version().await, Ok(0));
        assert_eq!(db.pending_migrations(MIGRATIONS).await, Ok(vec![1, 2]));
        assert_eq!(db.migrate(OLDER, NOW).await, Ok(1));
        assert_eq!(db.pending_migrations(MIGRATIONS).await, Ok(vec![2]));
        assert_eq!(db.migrate(MIGRATIONS, NOW).await, Ok(2));
        assert_eq!(db.migrate(MIGRATIONS, NOW).await, Ok(2));
        assert_eq!(db.schema_version().await, Ok(2));
        for refused in [CHANGED, OLDER, BROKEN] {
            assert!(matches!(
                db.migrate(refused, NOW).await,
                Err(DbError::Schema(_))
            ));
        }
        assert!(matches!(
            db.pending_migrations(OLDER).await,
            Err(DbError::Schema(_))
        ));
        assert_eq!(
            db.schema_version().await,
            Ok(2),
            "a broken step leaves nothing"
        );
        assert!(
            db.check(&[Sql::across("SELECT a FROM third")])
                .await
                .is_err()
        );
        assert_eq!(
            db.check(&[INSERT, SELECT, IDS, GROW, SWAP, ENQUEUE, LEASE])
                .await,
            Ok(())
        );
        db.close().await;
    }
}
