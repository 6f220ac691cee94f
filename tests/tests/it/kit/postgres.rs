//! A PostgreSQL database of its own for each server.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::{Client, NoTls};

/// The superuser's URL, from whoever runs the tests.
const SUPERUSER: &str = "BAILEE_TEST_POSTGRES_URL";
const PASSWORD: &str = "test-only";

/// A database, as its owner and as the role that runs the server.
pub(crate) struct Database {
    name: String,
    address: String,
}

impl Database {
    /// Makes one when the suite runs on PostgreSQL.
    pub(crate) async fn make() -> Option<Self> {
        if std::env::var("BAILEE_TEST_DATABASE").is_ok_and(|kind| kind == "postgres") {
            Some(Self::make_one().await)
        } else {
            None
        }
    }

    async fn make_one() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("bailee_it_{}_{number}", std::process::id());
        let url = std::env::var(SUPERUSER).unwrap();
        let client = connect(&url).await;
        for role in ["bailee_owner", "bailee_app"] {
            // Roles belong to the whole server; another test may have made them.
            let _ = client
                .batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"))
                .await;
        }
        client
            .batch_execute(&format!("CREATE DATABASE {name} OWNER bailee_owner"))
            .await
            .unwrap();
        let config: tokio_postgres::Config = url.parse().unwrap();
        let Some(tokio_postgres::config::Host::Tcp(host)) = config.get_hosts().first() else {
            panic!("{SUPERUSER} names no TCP host")
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        Self {
            name,
            address: format!("{host}:{port}"),
        }
    }

    /// For migrations.
    pub(crate) fn owner(&self) -> String {
        self.url("bailee_owner")
    }

    /// For the server: owns nothing and cannot bypass row security.
    pub(crate) fn app(&self) -> String {
        self.url("bailee_app")
    }

    /// Changes rows.
    pub(crate) async fn rewrite(&self, statement: &str) {
        let mut config: tokio_postgres::Config = std::env::var(SUPERUSER).unwrap().parse().unwrap();
        config.dbname(&self.name);
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(statement).await.unwrap();
    }

    fn url(&self, role: &str) -> String {
        format!(
            "postgres://{role}:{PASSWORD}@{}/{}",
            self.address, self.name
        )
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
