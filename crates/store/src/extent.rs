use bailee_model::{BlobId, Extent, FileId, Placement, Timestamp};

use crate::rows::statements;
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT_BLOB: tenant = "INSERT INTO blob (tenant_id, id, size_bytes, inline) VALUES ($1, $2, $3, $4)";
    INSERT: tenant = "INSERT INTO extent (tenant_id, file_id, ordinal, blob_id) VALUES ($1, $2, $3, $4)";
    COPY: tenant = "INSERT INTO extent (tenant_id, file_id, ordinal, blob_id) \
        SELECT $1, $3, ordinal, blob_id FROM extent WHERE tenant_id = $1 AND file_id = $2";
    FROM_PARTS: tenant = "INSERT INTO extent (tenant_id, file_id, ordinal, blob_id) \
        SELECT $1, $3, number, blob_id FROM part WHERE tenant_id = $1 AND upload_id = $2 AND size_bytes > 0";
    OF_FILE: point = "SELECT e.blob_id, b.size_bytes, b.inline FROM extent e \
        JOIN blob b ON b.tenant_id = e.tenant_id AND b.id = e.blob_id \
        WHERE e.tenant_id = $1 AND e.file_id = $2 ORDER BY e.ordinal";
    RESERVE: tenant = "INSERT INTO reservation (tenant_id, blob_id, expires_at) VALUES ($1, $2, $3)";
    CONSUME: tenant = "DELETE FROM reservation WHERE tenant_id = $1 AND blob_id = $2";
    DISCARD_OF_FILE: tenant = "INSERT INTO blob_garbage (tenant_id, blob_id, due_at) \
        SELECT DISTINCT $1, e.blob_id, CAST($3 AS BIGINT) FROM extent e WHERE e.tenant_id = $1 AND e.file_id = $2 \
        ON CONFLICT (tenant_id, blob_id) DO UPDATE SET due_at = excluded.due_at WHERE blob_garbage.due_at < excluded.due_at";
    DROP_OF_FILE: tenant = "DELETE FROM extent WHERE tenant_id = $1 AND file_id = $2";
    DISCARD_ONE: tenant = "INSERT INTO blob_garbage (tenant_id, blob_id, due_at) \
        VALUES ($1, $2, $3) \
        ON CONFLICT (tenant_id, blob_id) DO UPDATE SET due_at = excluded.due_at WHERE blob_garbage.due_at < excluded.due_at";
}

impl Change {
    /// Adds a sealed blob.
    pub fn insert_blob(&mut self, extent: &Extent) -> &mut Self {
        let inline = match &extent.placement {
            Placement::Inline(bytes) => Some(bytes.as_slice()),
            Placement::Stored => None,
        };
        self.add(
            INSERT_BLOB,
            values![extent.blob, extent.size_bytes, inline],
            Guard::One,
            "blob",
        )
    }

    /// Makes a blob a file version's stretch number `ordinal`.
    pub fn insert_extent(&mut self, file: FileId, ordinal: u32, blob: BlobId) -> &mut Self {
        self.add(INSERT, values![file, ordinal, blob], Guard::One, "extent")
    }

    /// Gives `to` the extents of `from`: two versions, one set of bytes.
    pub fn copy_extents(&mut self, from: FileId, to: FileId) -> &mut Self {
        self.add(COPY, values![from, to], Guard::Any, "extent")
    }

    /// Makes the parts of an upload a file version's extents. Rows only: no byte moves.
    pub fn extents_from_parts(
        &mut self,
        upload: bailee_model::UploadId,
        file: FileId,
    ) -> &mut Self {
        self.add(FROM_PARTS, values![upload, file], Guard::Any, "extent")
    }

    /// Leaves a trace of a blob before its first byte is written, so that the sweeper finds what never got a name.
    pub fn reserve(&mut self, blob: BlobId, until: Timestamp) -> &mut Self {
        self.add(RESERVE, values![blob, until], Guard::One, "reservation")
    }

    /// Consumes a reservation; the conflict is `reservation`: it expired and the bytes may be gone.
    pub fn consume_reservation(&mut self, blob: BlobId) -> &mut Self {
        self.add(CONSUME, values![blob], Guard::One, "reservation")
    }

    /// Takes a file version's bytes away: its blobs go to the sweeper unless another version still names them.
    pub fn discard_extents(&mut self, file: FileId, due: Timestamp) -> &mut Self {
        self.add(DISCARD_OF_FILE, values![file, due], Guard::Any, "garbage");
        self.add(DROP_OF_FILE, values![file], Guard::Any, "extent")
    }

    /// Gives one blob to the sweeper.
    pub fn discard_blob(&mut self, blob: BlobId, due: Timestamp) -> &mut Self {
        self.add(DISCARD_ONE, values![blob, due], Guard::Any, "garbage")
    }
}

impl Reader {
    /// A file version's extents in order, with inline bytes where a blob has them.
    pub async fn extents(&self, file: FileId) -> Result<Vec<Extent>, DbError> {
        let rows = self.rows(OF_FILE, values![file]).await?;
        rows.into_iter().map(|row| extent(&row)).collect()
    }
}

pub(crate) fn extent(row: &crate::Row) -> Result<Extent, DbError> {
    let placement = row
        .opt_bytes(2)?
        .map_or(Placement::Stored, |bytes| Placement::Inline(bytes.to_vec()));
    Ok(Extent {
        blob: row.parse(0)?,
        size_bytes: row.uint(1)?,
        placement,
    })
}
