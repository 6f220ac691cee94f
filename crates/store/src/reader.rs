use std::fmt::Display;

use bailee_model::{Page, TenantId};
use serde::de::DeserializeOwned;

use crate::rows::from_json;
use crate::{Db, DbError, Row, Scope, Sql, Value};

/// The reading twin of [`crate::Change`]: rows of one tenant. The verbs of each noun stand in the noun's file.
pub struct Reader {
    db: Db,
    tenant: TenantId,
}

impl Reader {
    pub(crate) fn new(db: Db, tenant: TenantId) -> Self {
        Self { db, tenant }
    }

    /// The tenant whose rows this reads.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub(crate) async fn rows(&self, sql: Sql, mut values: Vec<Value>) -> Result<Vec<Row>, DbError> {
        values.insert(0, Value::text(self.tenant));
        self.db.fetch(Scope::Tenant(self.tenant), sql, values).await
    }

    pub(crate) async fn row(&self, sql: Sql, values: Vec<Value>) -> Result<Option<Row>, DbError> {
        Ok(self.rows(sql, values).await?.pop())
    }

    /// The noun in the first column of the only row.
    pub(crate) async fn document<T: DeserializeOwned>(
        &self,
        sql: Sql,
        values: Vec<Value>,
    ) -> Result<Option<T>, DbError> {
        let row = self.row(sql, values).await?;
        row.map(|row| from_json(&row, 0)).transpose()
    }

    /// A page of nouns in the first column, sorted by id alone. The statement is asked for one row more than `limit`.
    pub(crate) async fn documents<T: DeserializeOwned, I: Display>(
        &self,
        sql: Sql,
        values: Vec<Value>,
        limit: u32,
        id: impl Fn(&T) -> I,
    ) -> Result<Page<T>, DbError> {
        let rows = self.rows(sql, values).await?;
        let found = rows.iter().map(|row| from_json(row, 0));
        let found = found.collect::<Result<Vec<T>, _>>()?;
        Ok(Page::cut(found, limit, |last| by_id(id(last))))
    }
}

/// The cursor of a list that is sorted by id alone, newest first.
pub(crate) fn by_id(id: impl Display) -> bailee_model::Cursor {
    bailee_model::Cursor {
        key: String::new(),
        id: id.to_string(),
    }
}

/// The id below which the next page of such a list begins: past every id at the start.
pub(crate) fn before(page: &bailee_model::PageRequest) -> String {
    page.after
        .as_ref()
        .map_or_else(|| "zzzz".to_owned(), |cursor| cursor.id.clone())
}
