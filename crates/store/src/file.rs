use bailee_model::{File, FileId, FileName, FolderId, FolderPath, Page, PageRequest, Timestamp};

use crate::rows::{from_json, from_word, json, opt_word, statements, word};
use crate::{Change, DbError, Guard, Reader, Row, Sql, values};

/// The columns of a file, in the order [`read`] takes them.
macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, folder_id, name, version, is_current, state, size_bytes, hash, content_type, detected_type, \
             classification, tags, metadata, wrapped_key, created_by, created_at, deleted_at, revision FROM file ",
            $rest
        )
    };
}

/// What every list asks for beside the kind of file: `$2` to `$7`, and for lists below a folder `$8`.
macro_rules! listed {
    () => {
        "AND id < $2 AND created_at >= $3 AND created_at < $4 \
         AND (CAST($5 AS TEXT) IS NULL OR tags LIKE $5 ESCAPE '!') \
         AND (CAST($6 AS TEXT) IS NULL OR lower(name) LIKE $6 ESCAPE '!') ORDER BY id DESC LIMIT $7"
    };
}

/// A folder and all below it; the folder is the last placeholder of the statement, `$8` or `$3`.
macro_rules! below {
    ($folder:literal) => {
        concat!(
            "WITH RECURSIVE below (place) AS (SELECT id FROM folder WHERE tenant_id = $1 AND id = ",
            $folder,
            " UNION SELECT f.id FROM folder f JOIN below ON f.parent_id = below.place WHERE f.tenant_id = $1) "
        )
    };
}

statements! {
    INSERT: tenant = "INSERT INTO file (tenant_id, id, folder_id, name, version, is_current, state, size_bytes, hash, \
        content_type, detected_type, classification, tags, metadata, wrapped_key, created_by, created_at, revision) \
        SELECT $1, $2, $3, $4, $5, $6, 'available', $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1 \
        WHERE EXISTS (SELECT 1 FROM folder WHERE tenant_id = $1 AND id = $3 AND deleted_at IS NULL) \
        AND NOT EXISTS (SELECT 1 FROM folder WHERE tenant_id = $1 AND parent_id = $3 AND name = $4 AND deleted_at IS NULL)";
    UPDATE: tenant = "UPDATE file SET folder_id = $3, name = $4, version = $5, is_current = $6, state = $7, \
        classification = $8, tags = $9, metadata = $10, deleted_at = $11, revision = revision + 1 \
        WHERE tenant_id = $1 AND id = $2 AND revision = $12";
    TOUCH: tenant = "UPDATE file SET revision = revision WHERE tenant_id = $1 AND id = $2";
    DELETE: tenant = "DELETE FROM file WHERE tenant_id = $1 AND id = $2";
    READ: point = columns!("WHERE tenant_id = $1 AND id = $2");
    AT: point = columns!("WHERE tenant_id = $1 AND folder_id = $2 AND name = $3 AND is_current = 1");
    IN_FOLDER: tenant = columns!(
        "WHERE tenant_id = $1 AND folder_id = $2 AND is_current = 1 AND name > $3 ORDER BY name LIMIT $4");
    VERSIONS: tenant = columns!(
        "WHERE tenant_id = $1 AND folder_id = $2 AND name = $3 ORDER BY version DESC LIMIT $4");
    LATEST: point = columns!(
        "WHERE tenant_id = $1 AND folder_id = $2 AND name = $3 ORDER BY version DESC LIMIT 1");
    LIST: tenant = concat!(columns!("WHERE tenant_id = $1 AND is_current = 1 "), listed!());
    LIST_TRASH: tenant = concat!(columns!("WHERE tenant_id = $1 AND state = 'deleted' "), listed!());
    SCAN_BELOW: tenant = concat!(below!("$8"), columns!("WHERE tenant_id = $1 AND is_current = 1 \
        AND folder_id IN (SELECT place FROM below) "), listed!());
    SCAN_TRASH_BELOW: tenant = concat!(below!("$8"), columns!("WHERE tenant_id = $1 AND state = 'deleted' \
        AND folder_id IN (SELECT place FROM below) "), listed!());
    WALK_BELOW: tenant = concat!(below!("$8"), "SELECT id, folder_id, name, version, is_current, state, size_bytes, hash, content_type, detected_type, \
        classification, tags, metadata, wrapped_key, created_by, created_at, deleted_at, revision \
        FROM below CROSS JOIN file WHERE tenant_id = $1 AND folder_id = below.place AND is_current = 1 ", listed!());
    WALK_TRASH_BELOW: tenant = concat!(below!("$8"), "SELECT id, folder_id, name, version, is_current, state, size_bytes, hash, content_type, detected_type, \
        classification, tags, metadata, wrapped_key, created_by, created_at, deleted_at, revision \
        FROM below CROSS JOIN file WHERE tenant_id = $1 AND folder_id = below.place AND state = 'deleted' ", listed!());
    COUNT_BELOW: tenant = concat!(below!("$3"), "SELECT COUNT(*) FROM (SELECT 1 FROM below CROSS JOIN file \
        WHERE file.tenant_id = $1 AND file.folder_id = below.place LIMIT $2) AS few");
}

/// Up to so many file versions below a folder count as few.
const FEW_FILES: u32 = 5000;

/// The conflict of [`Change::hold_file`]: the version was purged.
pub const SOURCE: &str = "source";

/// Which files a list shows.
#[derive(Clone, Debug, Default)]
pub struct FileFilter {
    /// Only below this folder.
    pub below: Option<FolderId>,
    /// The trash instead of the living.
    pub deleted: bool,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only made at or after this time.
    pub created_after: Option<Timestamp>,
    /// Only made before this time.
    pub created_before: Option<Timestamp>,
    /// Only with this text in the name, whatever the case.
    pub name_contains: Option<String>,
}

/// A text for LIKE with `!` as escape character.
fn like(text: &str) -> String {
    format!(
        "%{}%",
        text.replace('!', "!!")
            .replace('%', "!%")
            .replace('_', "!_")
    )
}

fn read(row: &Row, folder_path: &FolderPath) -> Result<File, DbError> {
    let name: FileName = row.parse(2)?;
    Ok(File {
        id: row.parse(0)?,
        folder: row.parse(1)?,
        path: folder_path.file(name),
        version: row.uint(3)? as u32,
        is_current: row.bool(4)?,
        state: from_word(row, 5)?,
        size_bytes: row.uint(6)?,
        hash: row.text(7)?.to_owned(),
        content_type: row.text(8)?.to_owned(),
        detected_type: row.opt_text(9)?.map(str::to_owned),
        classification: opt_word(row, 10)?,
        tags: from_json(row, 11)?,
        metadata: from_json(row, 12)?,
        wrapped_key: row.bytes(13)?.to_vec(),
        created_by: row.parse(14)?,
        created_at: row.time(15)?,
        deleted_at: row.opt_time(16)?,
        revision: row.uint(17)?,
    })
}

impl Change {
    /// Adds a file version; the conflict is [`crate::folder::PLACE`]: the place is taken or its folder gone.
    pub fn insert_file(&mut self, file: &File) -> &mut Self {
        self.hold_folder(file.folder);
        let row = values![
            file.id,
            file.folder,
            file.path.name().as_str(),
            file.version,
            file.is_current,
            file.size_bytes,
            &file.hash,
            &file.content_type,
            file.detected_type.as_deref(),
            file.classification.as_ref().map(word),
            json(&file.tags),
            json(&file.metadata),
            file.wrapped_key.as_slice(),
            file.created_by.to_string(),
            file.created_at,
        ];
        self.add(INSERT, row, Guard::One, crate::folder::PLACE)
    }

    /// Replaces what may change of a file version that is still at `file.revision`; the conflict is
    /// [`crate::folder::PLACE`].
    pub fn put_file(&mut self, file: &File) -> &mut Self {
        let row = values![
            file.id,
            file.folder,
            file.path.name().as_str(),
            file.version,
            file.is_current,
            word(&file.state),
            file.classification.as_ref().map(word),
            json(&file.tags),
            json(&file.metadata),
            file.deleted_at,
            file.revision,
        ];
        self.add(UPDATE, row, Guard::One, crate::folder::PLACE)
    }

    /// As [`Change::put_file`], for a file that goes to another place.
    pub fn move_file(&mut self, file: &File) -> &mut Self {
        self.hold_folder(file.folder).put_file(file)
    }

    /// Keeps a version from being purged before this change commits; the conflict is [`SOURCE`].
    pub fn hold_file(&mut self, id: FileId) -> &mut Self {
        self.add(TOUCH, values![id], Guard::One, SOURCE)
    }

    /// Forgets a file version whose extents are gone.
    pub fn delete_file(&mut self, id: FileId) -> &mut Self {
        self.add(DELETE, values![id], Guard::One, "file")
    }
}

impl Reader {
    /// One file version, whatever its state.
    pub async fn file(&self, id: FileId) -> Result<Option<File>, DbError> {
        let Some(row) = self.row(READ, values![id]).await? else {
            return Ok(None);
        };
        let folder = self.folder_path(row.parse(1)?).await?;
        read(&row, &folder).map(Some)
    }

    /// The current version at a place.
    pub async fn file_at(
        &self,
        folder: FolderId,
        path: &FolderPath,
        name: &FileName,
    ) -> Result<Option<File>, DbError> {
        let row = self.row(AT, values![folder, name.as_str()]).await?;
        row.map(|row| read(&row, path)).transpose()
    }

    /// The current version at a place, and the highest version number ever used there; 0 when it was never used. A
    /// current version has the highest number, so one look tells both.
    pub async fn occupant(
        &self,
        folder: FolderId,
        path: &FolderPath,
        name: &FileName,
    ) -> Result<(Option<File>, u32), DbError> {
        let Some(row) = self.row(LATEST, values![folder, name.as_str()]).await? else {
            return Ok((None, 0));
        };
        let latest = read(&row, path)?;
        let version = latest.version;
        Ok((Some(latest).filter(|latest| latest.is_current), version))
    }

    /// All versions at a place, newest first, at most `limit`.
    pub async fn file_versions(&self, file: &File, limit: u32) -> Result<Vec<File>, DbError> {
        let rows = self
            .rows(
                VERSIONS,
                values![file.folder, file.path.name().as_str(), limit],
            )
            .await?;
        rows.iter()
            .map(|row| read(row, file.path.folder()))
            .collect()
    }

    /// The current files in a folder by name, at most `limit`, after the name given.
    pub async fn files_in(
        &self,
        folder: FolderId,
        path: &FolderPath,
        after: &str,
        limit: u32,
    ) -> Result<Vec<File>, DbError> {
        let rows = self.rows(IN_FOLDER, values![folder, after, limit]).await?;
        rows.iter().map(|row| read(row, path)).collect()
    }

    /// Files by time, newest first.
    pub async fn files(
        &self,
        filter: &FileFilter,
        page: &PageRequest,
    ) -> Result<Page<File>, DbError> {
        let mut row = values![
            crate::reader::before(page),
            filter.created_after.map_or(i64::MIN, Timestamp::ms),
            filter.created_before.map_or(i64::MAX, Timestamp::ms),
            filter.tag.as_deref().map(|tag| like(&json(&tag))),
            filter
                .name_contains
                .as_deref()
                .map(|part| like(&part.to_lowercase())),
            page.limit + 1,
        ];
        let sql = match filter.below {
            None if filter.deleted => LIST_TRASH,
            None => LIST,
            Some(folder) => {
                row.push(crate::Value::text(folder));
                self.list_below(folder, filter.deleted).await?
            }
        };
        let rows = self.rows(sql, row).await?;
        let mut paths = std::collections::HashMap::new();
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let folder: FolderId = row.parse(1)?;
            if let std::collections::hash_map::Entry::Vacant(place) = paths.entry(folder) {
                place.insert(self.folder_path(folder).await?);
            }
            if let Some(path) = paths.get(&folder) {
                found.push(read(row, path)?);
            }
        }
        Ok(Page::cut(found, page.limit, |last| {
            crate::reader::by_id(last.id)
        }))
    }

    /// The statement that lists below a folder: few files are looked up folder by folder and sorted, many are met
    /// soon enough by going through the tenant's files by time.
    async fn list_below(&self, folder: FolderId, deleted: bool) -> Result<Sql, DbError> {
        let count = self
            .row(COUNT_BELOW, values![FEW_FILES + 1, folder])
            .await?
            .map_or(Ok(0), |row| row.uint(0))?;
        Ok(match (count <= u64::from(FEW_FILES), deleted) {
            (true, false) => WALK_BELOW,
            (true, true) => WALK_TRASH_BELOW,
            (false, false) => SCAN_BELOW,
            (false, true) => SCAN_TRASH_BELOW,
        })
    }
}
