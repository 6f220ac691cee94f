use bailee_model::{
    BlobId, Extent, Page, PageRequest, Part, PrincipalId, Timestamp, Upload, UploadId,
};

use crate::rows::{from_json, json, statements, word};
use crate::{Change, DbError, Guard, Reader, Row, values};

statements! {
    INSERT: tenant = "INSERT INTO upload (tenant_id, id, state, body, wrapped_key, hashed_parts, hashed_state, \
        created_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9)";
    END: tenant = "UPDATE upload SET state = $3, body = $4 WHERE tenant_id = $1 AND id = $2 AND state = 'open'";
    EXTEND: tenant = "UPDATE upload SET expires_at = $3, body = $4 WHERE tenant_id = $1 AND id = $2 AND state = 'open'";
    HASHED: tenant = "UPDATE upload SET hashed_parts = $3, hashed_state = $4 \
        WHERE tenant_id = $1 AND id = $2 AND hashed_parts = $5";
    FORGET_HASH: tenant = "UPDATE upload SET hashed_parts = 0, hashed_state = $4 \
        WHERE tenant_id = $1 AND id = $2 AND hashed_parts > $3";
    READ: tenant = "SELECT body, wrapped_key, hashed_parts, hashed_state FROM upload WHERE tenant_id = $1 AND id = $2";
    LIST: tenant = "SELECT body FROM upload WHERE tenant_id = $1 AND state = 'open' \
        AND (CAST($2 AS TEXT) IS NULL OR created_by = $2) AND id < $3 ORDER BY id DESC LIMIT $4";
    COUNT_OPEN: tenant = "SELECT COUNT(*) FROM upload WHERE tenant_id = $1 AND state = 'open'";
    INSERT_PART: tenant = "INSERT INTO part (tenant_id, upload_id, number, blob_id, size_bytes, hash) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    REPLACE_PART: tenant = "UPDATE part SET blob_id = $4, size_bytes = $5, hash = $6 \
        WHERE tenant_id = $1 AND upload_id = $2 AND number = $3 AND blob_id = $7";
    PARTS: tenant = "SELECT number, blob_id, size_bytes, hash FROM part WHERE tenant_id = $1 AND upload_id = $2 ORDER BY number";
    PART: tenant = "SELECT number, blob_id, size_bytes, hash FROM part WHERE tenant_id = $1 AND upload_id = $2 AND number = $3";
    PART_EXTENT: tenant = "SELECT id, size_bytes, inline FROM blob WHERE tenant_id = $1 AND id = $2";
    DISCARD: tenant = "INSERT INTO blob_garbage (tenant_id, blob_id, due_at) \
        SELECT $1, p.blob_id, CAST($3 AS BIGINT) FROM part p WHERE p.tenant_id = $1 AND p.upload_id = $2 \
        AND NOT EXISTS (SELECT 1 FROM blob_garbage g WHERE g.tenant_id = $1 AND g.blob_id = p.blob_id)";
    DROP_PARTS: tenant = "DELETE FROM part WHERE tenant_id = $1 AND upload_id = $2";
    DROP: tenant = "DELETE FROM upload WHERE tenant_id = $1 AND id = $2";
}

/// The conflict of verbs that need an open upload.
pub const OPEN: &str = "upload_open";
/// The conflict of part verbs that lost a race for the same number.
pub const PART_RACE: &str = "part_race";

/// How far an upload's whole-file hash has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedPrefix {
    /// Parts 0 up to this one, not included, are in the state.
    pub parts: u32,
    /// The running state, in the vault's form; empty before the first part.
    pub state: Vec<u8>,
}

impl Change {
    /// Adds an open upload.
    pub fn insert_upload(&mut self, upload: &Upload, wrapped_key: &[u8]) -> &mut Self {
        let row = values![
            upload.id,
            word(&upload.state),
            json(upload),
            wrapped_key,
            Vec::<u8>::new(),
            upload.created_by.to_string(),
            upload.created_at,
            upload.expires_at,
        ];
        self.add(INSERT, row, Guard::One, OPEN)
    }

    /// Ends an open upload; the conflict is [`OPEN`].
    pub fn end_upload(&mut self, upload: &Upload) -> &mut Self {
        self.add(
            END,
            values![upload.id, word(&upload.state), json(upload)],
            Guard::One,
            OPEN,
        )
    }

    /// Gives an open upload more time; the conflict is [`OPEN`].
    pub fn extend_upload(&mut self, upload: &Upload) -> &mut Self {
        self.add(
            EXTEND,
            values![upload.id, upload.expires_at, json(upload)],
            Guard::One,
            OPEN,
        )
    }

    /// Moves the whole-file hash on from `from_parts`; the conflict is [`PART_RACE`].
    pub fn advance_hash(
        &mut self,
        upload: UploadId,
        from_parts: u32,
        to: &HashedPrefix,
    ) -> &mut Self {
        self.add(
            HASHED,
            values![upload, to.parts, to.state.as_slice(), from_parts],
            Guard::One,
            PART_RACE,
        )
    }

    /// Starts the whole-file hash over if it has passed part `number`, whose bytes are being replaced.
    pub fn forget_hash(&mut self, upload: UploadId, number: u32) -> &mut Self {
        self.add(
            FORGET_HASH,
            values![upload, number, Vec::<u8>::new()],
            Guard::Any,
            PART_RACE,
        )
    }

    /// Adds a part; the conflict is [`PART_RACE`].
    pub fn insert_part(&mut self, upload: UploadId, part: &Part) -> &mut Self {
        let row = values![upload, part.number, part.blob, part.size_bytes, &part.hash];
        self.add(INSERT_PART, row, Guard::One, PART_RACE)
    }

    /// Puts a part in the place of the one that has blob `old`; the conflict is [`PART_RACE`].
    pub fn replace_part(&mut self, upload: UploadId, part: &Part, old: BlobId) -> &mut Self {
        let row = values![
            upload,
            part.number,
            part.blob,
            part.size_bytes,
            &part.hash,
            old
        ];
        self.add(REPLACE_PART, row, Guard::One, PART_RACE)
    }

    /// Gives the blobs of an upload's parts to the sweeper and forgets the parts.
    pub fn discard_parts(&mut self, upload: UploadId, due: Timestamp) -> &mut Self {
        self.add(DISCARD, values![upload, due], Guard::Any, "garbage");
        self.drop_parts(upload)
    }

    /// Forgets the parts of an upload whose blobs a file names by now.
    pub fn drop_parts(&mut self, upload: UploadId) -> &mut Self {
        self.add(DROP_PARTS, values![upload], Guard::Any, "part")
    }

    /// Forgets an ended upload.
    pub fn drop_upload(&mut self, upload: UploadId) -> &mut Self {
        self.add(DROP, values![upload], Guard::Any, "upload")
    }
}

impl Reader {
    /// An upload, its wrapped data_key and how far its hash has come.
    pub async fn upload(
        &self,
        id: UploadId,
    ) -> Result<Option<(Upload, Vec<u8>, HashedPrefix)>, DbError> {
        let Some(row) = self.row(READ, values![id]).await? else {
            return Ok(None);
        };
        let prefix = HashedPrefix {
            parts: row.uint(2)? as u32,
            state: row.bytes(3)?.to_vec(),
        };
        Ok(Some((from_json(&row, 0)?, row.bytes(1)?.to_vec(), prefix)))
    }

    /// Open uploads of one principal or of all, newest first.
    pub async fn open_uploads(
        &self,
        of: Option<PrincipalId>,
        page: &PageRequest,
    ) -> Result<Page<Upload>, DbError> {
        let of = of.map(|id| id.to_string());
        let rows = self
            .rows(
                LIST,
                values![of, crate::reader::before(page), page.limit + 1],
            )
            .await?;
        let found = rows
            .iter()
            .map(|row| from_json(row, 0))
            .collect::<Result<Vec<Upload>, _>>()?;
        Ok(Page::cut(found, page.limit, |last| {
            crate::reader::by_id(last.id)
        }))
    }

    /// How many uploads are open.
    pub async fn count_open_uploads(&self) -> Result<u64, DbError> {
        self.row(COUNT_OPEN, values![])
            .await?
            .map_or(Ok(0), |row| row.uint(0))
    }

    /// The parts held, by number.
    pub async fn parts(&self, upload: UploadId) -> Result<Vec<Part>, DbError> {
        self.rows(PARTS, values![upload])
            .await?
            .iter()
            .map(part)
            .collect()
    }

    /// One part, if it is held.
    pub async fn part(&self, upload: UploadId, number: u32) -> Result<Option<Part>, DbError> {
        self.row(PART, values![upload, number])
            .await?
            .map(|row| part(&row))
            .transpose()
    }

    /// A part's blob as an extent, to read it back.
    pub async fn part_extent(&self, blob: BlobId) -> Result<Option<Extent>, DbError> {
        self.row(PART_EXTENT, values![blob])
            .await?
            .map(|row| crate::extent::extent(&row))
            .transpose()
    }
}

fn part(row: &Row) -> Result<Part, DbError> {
    Ok(Part {
        number: row.uint(0)? as u32,
        blob: row.parse(1)?,
        size_bytes: row.uint(2)?,
        hash: row.text(3)?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use bailee_model::UploadState;

    use super::*;

    #[test]
    fn the_state_words_are_those_of_the_statements() {
        assert_eq!(word(&UploadState::Open), "open");
    }
}
