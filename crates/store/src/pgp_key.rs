use bailee_model::{Page, PageRequest, PgpKey, PgpKeyId, PgpKeyName, PgpMaterial};

use crate::rows::{from_json, json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO pgp_key (tenant_id, id, name, fingerprint, body, public_part, sealed_secret, revision) \
        SELECT $1, $2, $3, $4, $5, CAST($6 AS {bytes}), CAST($7 AS {bytes}), CAST($8 AS BIGINT) \
        WHERE (SELECT COUNT(*) FROM pgp_key WHERE tenant_id = $1) < $9";
    PUT: tenant = "UPDATE pgp_key SET name = $3, body = $4, revision = $5 WHERE tenant_id = $1 AND id = $2 AND revision = $6";
    PUT_MATERIAL: tenant = "UPDATE pgp_key SET public_part = $3, sealed_secret = $4 WHERE tenant_id = $1 AND id = $2";
    PUT_PUBLIC: tenant = "UPDATE pgp_key SET public_part = $3 WHERE tenant_id = $1 AND id = $2";
    DELETE: tenant = "DELETE FROM pgp_key WHERE tenant_id = $1 AND id = $2 AND revision = $3";
    READ: tenant = "SELECT body FROM pgp_key WHERE tenant_id = $1 AND id = $2";
    BY_NAME: tenant = "SELECT body FROM pgp_key WHERE tenant_id = $1 AND name = $2";
    BY_FINGERPRINT: tenant = "SELECT body FROM pgp_key WHERE tenant_id = $1 AND fingerprint = $2";
    MATERIAL: tenant = "SELECT body, public_part, sealed_secret FROM pgp_key WHERE tenant_id = $1 AND id = $2";
    LIST: tenant = "SELECT body FROM pgp_key WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
}

/// The conflict of [`Change::insert_pgp_key`]: name or fingerprint is taken, or there are enough.
pub const TAKEN: &str = "pgp_key_taken";
/// The conflict of [`Change::put_pgp_key`]: the name is taken, or the key was changed since it was read.
pub const REVISION: &str = "pgp_key_revision";

impl Change {
    /// Adds a key unless the tenant has `most` already; the conflict is [`TAKEN`]. A few that are added at the same
    /// moment may all pass.
    pub fn insert_pgp_key(&mut self, key: &PgpKey, material: &PgpMaterial, most: u64) -> &mut Self {
        let row = values![
            key.id,
            key.name.as_str(),
            &key.primary.fingerprint,
            json(key),
            material.public.as_slice(),
            material.sealed_secret.as_deref(),
            key.revision,
            most
        ];
        self.add(INSERT, row, Guard::One, TAKEN)
    }

    /// Replaces what is said of a key that is one revision older than this one; the conflict is [`REVISION`].
    pub fn put_pgp_key(&mut self, key: &PgpKey) -> &mut Self {
        let old = key.revision.saturating_sub(1);
        let row = values![key.id, key.name.as_str(), json(key), key.revision, old];
        self.add(PUT, row, Guard::One, REVISION)
    }

    /// Replaces the key itself, beside [`Change::put_pgp_key`].
    pub fn put_pgp_material(&mut self, id: PgpKeyId, material: &PgpMaterial) -> &mut Self {
        let row = values![
            id,
            material.public.as_slice(),
            material.sealed_secret.as_deref()
        ];
        self.add(PUT_MATERIAL, row, Guard::One, REVISION)
    }

    /// Replaces the public part alone, beside [`Change::put_pgp_key`].
    pub fn put_pgp_public(&mut self, id: PgpKeyId, public: &[u8]) -> &mut Self {
        self.add(PUT_PUBLIC, values![id, public], Guard::One, REVISION)
    }

    /// Removes a key as it was read; the conflict is [`REVISION`].
    pub fn delete_pgp_key(&mut self, key: &PgpKey) -> &mut Self {
        self.add(DELETE, values![key.id, key.revision], Guard::One, REVISION)
    }
}

impl Reader {
    /// One key.
    pub async fn pgp_key(&self, id: PgpKeyId) -> Result<Option<PgpKey>, DbError> {
        self.document(READ, values![id]).await
    }

    /// The key of a name.
    pub async fn pgp_key_named(&self, name: &PgpKeyName) -> Result<Option<PgpKey>, DbError> {
        self.document(BY_NAME, values![name.as_str()]).await
    }

    /// The key of a fingerprint.
    pub async fn pgp_key_of(&self, fingerprint: &str) -> Result<Option<PgpKey>, DbError> {
        self.document(BY_FINGERPRINT, values![fingerprint]).await
    }

    /// One key with what it is made of.
    pub async fn pgp_material(
        &self,
        id: PgpKeyId,
    ) -> Result<Option<(PgpKey, PgpMaterial)>, DbError> {
        let row = self.row(MATERIAL, values![id]).await?;
        row.map(|row| {
            let material = PgpMaterial {
                public: row.bytes(1)?.to_vec(),
                sealed_secret: row.opt_bytes(2)?.map(<[u8]>::to_vec),
            };
            Ok((from_json(&row, 0)?, material))
        })
        .transpose()
    }

    /// Keys, newest first.
    pub async fn pgp_keys(&self, page: &PageRequest) -> Result<Page<PgpKey>, DbError> {
        self.documents(
            LIST,
            values![crate::reader::before(page), page.limit + 1],
            page.limit,
            |last: &PgpKey| last.id,
        )
        .await
    }
}
