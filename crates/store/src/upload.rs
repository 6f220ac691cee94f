use bailee_model::{
    BlobId, Extent, Page, PageRequest, Part, PrincipalId, Timestamp, Upload, UploadId,
};

use crate::rows::{from_json, json, statements, word};
use crate::{Change, DbError, Guard, Reader, Row, values};

statements! {
    INSERT: tenant = "INSERT INTO upload (tenant_id, id, state, body, wrapped_key, hashed_parts, hashed_state, \
        revision, size_bytes, created_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, 0, $6, 0, 0, $7, $8, $9)";
    COMPLETE: tenant = "UPDATE upload SET state = $3, body = $4 \
        WHERE tenant_id = $1 AND id = $2 AND state = 'open' AND revision = $5";
    ABORT: tenant = "UPDATE upload SET state = $3, body = $4 WHERE tenant_id = $1 AND id = $2 AND state = 'open'";
    EXPIRE: tenant = "UPDATE upload SET state = $3, body = $4 \
        WHERE tenant_id = $1 AND id = $2 AND state = 'open' AND expires_at <= $5";
    EXTEND: tenant = "UPDATE upload SET expires_at = $3, body = $4, revision = revision + 1 \
        WHERE tenant_id = $1 AND id = $2 AND state = 'open'";
    GROW: tenant = "UPDATE upload SET size_bytes = size_bytes + $3 \
        WHERE tenant_id = $1 AND id = $2 AND size_bytes + $3 <= $4";
    GIVE_BACK: tenant = "UPDATE usage_total SET bytes = bytes - \
        (SELECT u.size_bytes FROM upload u WHERE u.tenant_id = $1 AND u.id = $2) WHERE tenant_id = $1";
    HASHED: tenant = "UPDATE upload SET hashed_parts = $3, hashed_state = $4 \
        WHERE tenant_id = $1 AND id = $2 AND hashed_parts = $5 AND hashed_state = $6";
    SAME_PART: tenant = "UPDATE part SET blob_id = $4 WHERE tenant_id = $1 AND upload_id = $2 AND number = $3 AND blob_id = $4";
    FORGET_HASH: tenant = "UPDATE upload SET hashed_parts = 0, hashed_state = $4 \
        WHERE tenant_id = $1 AND id = $2 AND hashed_parts > $3";
    READ: tenant = "SELECT body, wrapped_key, hashed_parts, hashed_state, revision, size_bytes FROM upload WHERE tenant_id = $1 AND id = $2";
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
        ON CONFLICT (tenant_id, blob_id) DO UPDATE SET due_at = excluded.due_at WHERE blob_garbage.due_at < excluded.due_at";
    DROP_PARTS: tenant = "DELETE FROM part WHERE tenant_id = $1 AND upload_id = $2";
    DROP: tenant = "DELETE FROM upload WHERE tenant_id = $1 AND id = $2";
}

/// The conflict of verbs that need an open upload.
pub const OPEN: &str = "upload_open";
/// The conflict of completing an upload that has ended, or whose parts are others than those that were read.
pub const MOVED: &str = "upload_moved";
/// The conflict of a part with which an upload would grow past what a file may have.
pub const TOO_LARGE: &str = "upload_too_large";
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

/// What an open upload holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Another one after every part.
    pub revision: u64,
    /// What its parts add up to, as counted against the quota.
    pub size_bytes: u64,
    /// How far its hash has come.
    pub hashed: HashedPrefix,
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

    /// Ends an open upload with a file of the parts it had at `revision`; the conflict is [`MOVED`].
    pub fn complete_upload(&mut self, upload: &Upload, revision: u64) -> &mut Self {
        let row = values![upload.id, word(&upload.state), json(upload), revision];
        self.add(COMPLETE, row, Guard::One, MOVED)
    }

    /// Ends an open upload whatever it holds; the conflict is [`OPEN`].
    pub fn abort_upload(&mut self, upload: &Upload) -> &mut Self {
        let row = values![upload.id, word(&upload.state), json(upload)];
        self.add(ABORT, row, Guard::One, OPEN)
    }

    /// Ends an open upload unless a part has given it more time since it was read; the conflict is [`OPEN`].
    pub fn expire_upload(&mut self, upload: &Upload) -> &mut Self {
        let row = values![
            upload.id,
            word(&upload.state),
            json(upload),
            upload.expires_at
        ];
        self.add(EXPIRE, row, Guard::One, OPEN)
    }

    /// Adds to what an open upload's parts add up to; the conflict is [`TOO_LARGE`]. Less is always allowed.
    pub fn grow_upload(&mut self, upload: UploadId, bytes: i64, size_bytes_max: u64) -> &mut Self {
        let bound = if bytes > 0 {
            i64::try_from(size_bytes_max).unwrap_or(i64::MAX)
        } else {
            i64::MAX
        };
        let row = values![upload, bytes, bound];
        self.add(GROW, row, Guard::One, TOO_LARGE)
    }

    /// Gives back what an upload's parts were counted for, after it has ended without a file in the same change.
    /// Put it last: the row is shared by everybody in the tenant.
    pub fn give_back_upload(&mut self, upload: UploadId) -> &mut Self {
        self.add(GIVE_BACK, values![upload], Guard::One, "usage")
    }

    /// Gives an open upload more time and another revision, because a part comes; the conflict is [`OPEN`]. Put it
    /// first: it makes parts and the end of their upload take turns.
    pub fn extend_upload(&mut self, upload: &Upload) -> &mut Self {
        self.add(
            EXTEND,
            values![upload.id, upload.expires_at, json(upload)],
            Guard::One,
            OPEN,
        )
    }

    /// Moves the whole-file hash on; the conflict is [`PART_RACE`]. A state is sealed afresh each time, so an equal one
    /// has not been started over and come as far again with other bytes.
    pub fn advance_hash(
        &mut self,
        upload: UploadId,
        from: &HashedPrefix,
        to: &HashedPrefix,
    ) -> &mut Self {
        let row = values![
            upload,
            to.parts,
            to.state.as_slice(),
            from.parts,
            from.state.as_slice(),
        ];
        self.add(HASHED, row, Guard::One, PART_RACE)
    }

    /// Asks that a part is still the one that was read; the conflict is [`PART_RACE`].
    pub fn hold_part(&mut self, upload: UploadId, part: &Part) -> &mut Self {
        let row = values![upload, part.number, part.blob];
        self.add(SAME_PART, row, Guard::One, PART_RACE)
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
    /// An upload, its wrapped data_key and what it holds.
    pub async fn upload(
        &self,
        id: UploadId,
    ) -> Result<Option<(Upload, Vec<u8>, Progress)>, DbError> {
        let Some(row) = self.row(READ, values![id]).await? else {
            return Ok(None);
        };
        let progress = Progress {
            revision: row.uint(4)?,
            size_bytes: row.uint(5)?,
            hashed: HashedPrefix {
                parts: row.uint(2)? as u32,
                state: row.bytes(3)?.to_vec(),
            },
        };
        Ok(Some((
            from_json(&row, 0)?,
            row.bytes(1)?.to_vec(),
            progress,
        )))
    }

    /// Open uploads of one principal or of all, newest first.
    pub async fn open_uploads(
        &self,
        of: Option<PrincipalId>,
        page: &PageRequest,
    ) -> Result<Page<Upload>, DbError> {
        let of = of.map(|id| id.to_string());
        self.documents(
            LIST,
            values![of, crate::reader::before(page), page.limit + 1],
            page.limit,
            |last: &Upload| last.id,
        )
        .await
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
