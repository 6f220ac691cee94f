//! What the sweeper finds. Each list is bounded; the sweeper comes again.

use bailee_model::{BlobId, FileId, Tenant, TenantId, Timestamp, UploadId};

use crate::rows::statements;
use crate::{Change, DbError, Guard, QueueDoor, values};

statements! {
    EXPIRED_UPLOADS: across = "SELECT tenant_id, id FROM upload WHERE state = 'open' AND expires_at < $1 LIMIT $2";
    ENDED_UPLOADS: across = "SELECT tenant_id, id FROM upload WHERE state <> 'open' AND expires_at < $1 LIMIT $2";
    TRASH_TENANTS: across = "SELECT t.body FROM tenant t WHERE t.tenant_id > $1 AND EXISTS (SELECT 1 FROM file f \
        WHERE f.tenant_id = t.tenant_id AND f.deleted_at IS NOT NULL) ORDER BY t.tenant_id LIMIT $2";
    TRASH: tenant = "SELECT id FROM file WHERE tenant_id = $1 AND deleted_at IS NOT NULL AND deleted_at <= $2 \
        ORDER BY deleted_at LIMIT $3";
    RESERVATIONS: across = "SELECT tenant_id, blob_id FROM reservation WHERE expires_at < $1 LIMIT $2";
    GARBAGE: across = "SELECT tenant_id, blob_id FROM blob_garbage WHERE due_at < $1 ORDER BY due_at LIMIT $2";
    IDEMPOTENCY: across = "DELETE FROM idempotency WHERE expires_at < $1";
    DELIVERIES: across = "DELETE FROM delivery WHERE created_at < $1 AND state IN ('succeeded', 'failed', 'abandoned')";
    PUBLICATIONS: across = "DELETE FROM publication WHERE created_at < $1 AND state <> 'waiting'";
    DROP_BLOB: tenant = "DELETE FROM blob WHERE tenant_id = $1 AND id = $2 \
        AND NOT EXISTS (SELECT 1 FROM extent WHERE tenant_id = $1 AND blob_id = $2) \
        AND NOT EXISTS (SELECT 1 FROM part WHERE tenant_id = $1 AND blob_id = $2)";
    DEFER_GARBAGE: tenant = "UPDATE blob_garbage SET due_at = $3 WHERE tenant_id = $1 AND blob_id = $2";
    DROP_GARBAGE: tenant = "DELETE FROM blob_garbage WHERE tenant_id = $1 AND blob_id = $2";
    DROP_RESERVATION: tenant = "DELETE FROM reservation WHERE tenant_id = $1 AND blob_id = $2";
    LIVE_BLOB: tenant = "SELECT 1 FROM blob WHERE tenant_id = $1 AND id = $2";
    BLOBS: across = "SELECT b.tenant_id, b.id, b.size_bytes, b.inline FROM blob b WHERE b.id > $1 ORDER BY b.id LIMIT $2";
    KEY_OF_BLOB: tenant = "SELECT f.wrapped_key, f.id FROM extent e JOIN file f ON f.tenant_id = e.tenant_id AND f.id = e.file_id \
        WHERE e.tenant_id = $1 AND e.blob_id = $2 UNION ALL \
        SELECT u.wrapped_key, u.id FROM part p JOIN upload u ON u.tenant_id = p.tenant_id AND u.id = p.upload_id \
        WHERE p.tenant_id = $1 AND p.blob_id = $2 LIMIT 1";
}

/// A blob for the scrub: whose it is, the blob, and its wrapped data_key when a file or upload still names it.
pub struct ScrubItem {
    /// Whose it is.
    pub tenant: TenantId,
    /// The blob.
    pub extent: bailee_model::Extent,
    /// The wrapped data_key, and the id of the file or upload under whose name it is wrapped.
    pub wrapped_key: Option<(Vec<u8>, String)>,
}

impl QueueDoor {
    /// Open uploads whose time ran out.
    pub async fn expired_uploads(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, UploadId)>, DbError> {
        let rows = self.across(EXPIRED_UPLOADS, values![now, limit]).await?;
        rows.iter()
            .map(|row| Ok((row.parse(0)?, row.parse(1)?)))
            .collect()
    }

    /// Ended uploads whose answer nobody will ask for any more.
    pub async fn ended_uploads(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, UploadId)>, DbError> {
        let rows = self.across(ENDED_UPLOADS, values![now, limit]).await?;
        rows.iter()
            .map(|row| Ok((row.parse(0)?, row.parse(1)?)))
            .collect()
    }

    /// Tenants that have something in the trash, by id after `after`.
    pub async fn tenants_with_trash(
        &self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Tenant>, DbError> {
        let rows = self.across(TRASH_TENANTS, values![after, limit]).await?;
        rows.iter()
            .map(|row| crate::rows::from_json(row, 0))
            .collect()
    }

    /// File versions of a tenant that are in the trash since `until` or longer, the oldest first.
    pub async fn trash(
        &self,
        tenant: TenantId,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<FileId>, DbError> {
        let rows = self
            .reader(tenant)
            .rows(TRASH, values![until, limit])
            .await?;
        rows.iter().map(|row| row.parse(0)).collect()
    }

    /// Reservations whose bytes never got a name.
    pub async fn expired_reservations(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, BlobId)>, DbError> {
        let rows = self.across(RESERVATIONS, values![now, limit]).await?;
        rows.iter()
            .map(|row| Ok((row.parse(0)?, row.parse(1)?)))
            .collect()
    }

    /// Blobs that were given up and have rested long enough.
    pub async fn garbage(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, BlobId)>, DbError> {
        let rows = self.across(GARBAGE, values![now, limit]).await?;
        rows.iter()
            .map(|row| Ok((row.parse(0)?, row.parse(1)?)))
            .collect()
    }

    /// Whether a row still names the blob.
    pub async fn is_live(&self, tenant: TenantId, blob: BlobId) -> Result<bool, DbError> {
        Ok(self
            .reader(tenant)
            .row(LIVE_BLOB, values![blob])
            .await?
            .is_some())
    }

    /// Forgets answers to old idempotency_keys, old deliveries, and what was handed on long ago.
    pub async fn forget_old(
        &self,
        now: Timestamp,
        deliveries_before: Timestamp,
        publications_before: Timestamp,
    ) -> Result<(), DbError> {
        let mut script = crate::Script::across();
        script.push(IDEMPOTENCY, values![now], Guard::Any, "idempotency");
        script.push(
            DELIVERIES,
            values![deliveries_before],
            Guard::Any,
            "delivery",
        );
        let before = values![publications_before];
        script.push(PUBLICATIONS, before, Guard::Any, "publication");
        self.db().run(script).await.map(drop)
    }

    /// Blobs by id for the scrub, of all tenants.
    pub async fn blobs_after(&self, after: &str, limit: u32) -> Result<Vec<ScrubItem>, DbError> {
        let mut found = Vec::new();
        for row in self.across(BLOBS, values![after, limit]).await? {
            let tenant: TenantId = row.parse(0)?;
            let placement = row
                .opt_bytes(3)?
                .map_or(bailee_model::Placement::Stored, |bytes| {
                    bailee_model::Placement::Inline(bytes.to_vec())
                });
            let extent = bailee_model::Extent {
                blob: row.parse(1)?,
                size_bytes: row.uint(2)?,
                placement,
            };
            let key = self
                .reader(tenant)
                .row(KEY_OF_BLOB, values![extent.blob])
                .await?;
            let wrapped_key = key
                .map(|row| Ok::<_, DbError>((row.bytes(0)?.to_vec(), row.text(1)?.to_owned())))
                .transpose()?;
            found.push(ScrubItem {
                tenant,
                extent,
                wrapped_key,
            });
        }
        Ok(found)
    }
}

impl Change {
    /// Forgets a blob unless a file or part still names it.
    pub fn drop_blob(&mut self, blob: BlobId) -> &mut Self {
        self.add(DROP_BLOB, values![blob], Guard::Any, "blob")
    }

    /// Takes a blob off the sweeper's list.
    pub fn drop_garbage(&mut self, blob: BlobId) -> &mut Self {
        self.add(DROP_GARBAGE, values![blob], Guard::Any, "garbage")
    }

    /// Lets a blob on the sweeper's list rest until `due_at`.
    pub fn defer_garbage(&mut self, blob: BlobId, due_at: Timestamp) -> &mut Self {
        self.add(DEFER_GARBAGE, values![blob, due_at], Guard::Any, "garbage")
    }

    /// Forgets a reservation.
    pub fn drop_reservation(&mut self, blob: BlobId) -> &mut Self {
        self.add(DROP_RESERVATION, values![blob], Guard::Any, "reservation")
    }
}
