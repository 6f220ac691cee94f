use bailee_model::{FileName, Folder, FolderId, FolderPath, Timestamp};

use crate::rows::statements;
use crate::{Change, DbError, Guard, Reader, Row, values};

statements! {
    INSERT: tenant = "INSERT INTO folder (tenant_id, id, parent_id, name, created_at) \
        SELECT $1, $2, $3, $4, $5 WHERE EXISTS (SELECT 1 FROM folder WHERE tenant_id = $1 AND id = $3 AND deleted_at IS NULL) \
        AND NOT EXISTS (SELECT 1 FROM file WHERE tenant_id = $1 AND folder_id = $3 AND name = $4 AND is_current = 1)";
    HOLD: tenant = "SELECT id FROM folder WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL {for_share}";
    LOCK: tenant = "SELECT id FROM folder WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL {for_update}";
    MOVE: tenant = "UPDATE folder SET parent_id = $3, name = $4 WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM file WHERE tenant_id = $1 AND folder_id = $3 AND name = $4 AND is_current = 1) \
        AND NOT EXISTS (WITH RECURSIVE up (id, depth) AS ( \
        SELECT CAST($3 AS TEXT), CAST(0 AS BIGINT) \
        UNION ALL SELECT f.parent_id, up.depth + 1 FROM folder f JOIN up ON f.id = up.id \
        WHERE f.tenant_id = $1 AND f.parent_id IS NOT NULL AND up.depth < 256) SELECT 1 FROM up WHERE up.id = $2)";
    EXTENT: tenant = "WITH RECURSIVE below (id, depth, bytes) AS ( \
        SELECT id, CAST(0 AS BIGINT), CAST(0 AS BIGINT) FROM folder WHERE tenant_id = $1 AND id = $2 \
        UNION ALL SELECT f.id, below.depth + 1, below.bytes + octet_length(f.name) + 1 \
        FROM folder f JOIN below ON f.parent_id = below.id WHERE f.tenant_id = $1 AND below.depth < 256) \
        SELECT MAX(depth), MAX(bytes) FROM below";
    DELETE: tenant = "UPDATE folder SET deleted_at = $3 WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM file WHERE tenant_id = $1 AND folder_id = $2 AND is_current = 1) \
        AND NOT EXISTS (SELECT 1 FROM folder c WHERE c.tenant_id = $1 AND c.parent_id = $2 AND c.deleted_at IS NULL)";
    CHILD: point = "SELECT id, created_at FROM folder \
        WHERE tenant_id = $1 AND parent_id = $2 AND name = $3 AND deleted_at IS NULL";
    ROOT: point = "SELECT id, created_at FROM folder WHERE tenant_id = $1 AND id = $2";
    CHILDREN: tenant = "SELECT id, name, created_at FROM folder \
        WHERE tenant_id = $1 AND parent_id = $2 AND deleted_at IS NULL AND name > $3 ORDER BY name LIMIT $4";
    UP: point = "WITH RECURSIVE up (id, parent_id, name, depth) AS ( \
        SELECT id, parent_id, name, CAST(0 AS BIGINT) FROM folder WHERE tenant_id = $1 AND id = $2 \
        UNION ALL SELECT f.id, f.parent_id, f.name, up.depth + 1 FROM folder f JOIN up ON f.id = up.parent_id \
        WHERE f.tenant_id = $1 AND up.depth < 256) SELECT name FROM up WHERE parent_id IS NOT NULL ORDER BY depth DESC";
    BELOW: tenant = "WITH RECURSIVE below (id, depth) AS ( \
        SELECT id, CAST(0 AS BIGINT) FROM folder WHERE tenant_id = $1 AND id = $2 \
        UNION ALL SELECT f.id, below.depth + 1 FROM folder f JOIN below ON f.parent_id = below.id \
        WHERE f.tenant_id = $1 AND f.deleted_at IS NULL AND below.depth < 256) SELECT id FROM below ORDER BY depth DESC LIMIT $3";
}

/// The conflict of folder verbs: the place is taken, gone, or not empty. Read again.
pub const PLACE: &str = "place";

impl Change {
    /// Keeps a folder from being deleted before this change commits; the conflict is [`PLACE`]. Others may hold it too.
    pub fn hold_folder(&mut self, id: FolderId) -> &mut Self {
        self.add(HOLD, values![id], Guard::One, PLACE)
    }

    /// Keeps everybody else from putting anything into a folder, or deleting it, before this change commits. What the
    /// statements after this one see is what was there when they got their turn.
    fn lock_folder(&mut self, id: FolderId) -> &mut Self {
        self.add(LOCK, values![id], Guard::One, PLACE)
    }

    /// Adds a folder below an existing one; the conflict is [`PLACE`].
    pub fn insert_folder(&mut self, folder: &Folder) -> &mut Self {
        if let Some(parent) = folder.parent {
            self.lock_folder(parent);
        }
        let name = folder.name().map_or("", FileName::as_str);
        let row = values![folder.id, folder.parent, name, folder.created_at];
        self.add(INSERT, row, Guard::One, PLACE)
    }

    /// Moves a folder with all that is in it; the conflict is [`PLACE`].
    pub fn move_folder(&mut self, id: FolderId, parent: FolderId, name: &FileName) -> &mut Self {
        // All moves of a tenant take their turn at its root: two at once could put each other into itself.
        self.lock_folder(Folder::ROOT).lock_folder(parent);
        self.add(MOVE, values![id, parent, name.as_str()], Guard::One, PLACE)
    }

    /// Removes a folder that holds nothing; the conflict is [`PLACE`].
    pub fn delete_folder(&mut self, id: FolderId, now: Timestamp) -> &mut Self {
        self.lock_folder(id);
        self.add(DELETE, values![id, now], Guard::One, PLACE)
    }
}

impl Reader {
    /// The folder at `path`; `None` when it or one above it is missing.
    pub async fn folder_at(&self, path: &FolderPath) -> Result<Option<Folder>, DbError> {
        let (folder, missing) = self.deepest_folder(path).await?;
        Ok(if missing == 0 { Some(folder) } else { None })
    }

    /// The deepest folder that exists on the way to `path`, and how many names below it are missing.
    pub async fn deepest_folder(&self, path: &FolderPath) -> Result<(Folder, usize), DbError> {
        let mut found = Folder {
            id: Folder::ROOT,
            parent: None,
            path: FolderPath::root(),
            created_at: Timestamp::default(),
        };
        if path.is_root()
            && let Some(row) = self.row(ROOT, values![Folder::ROOT]).await?
        {
            found.created_at = row.time(1)?;
        }
        for (at, name) in path.names().iter().enumerate() {
            let Some(row) = self.row(CHILD, values![found.id, name.as_str()]).await? else {
                return Ok((found, path.names().len() - at));
            };
            let path = found
                .path
                .child(name.clone())
                .map_err(|_| row.wrong(0, "a path that is too long"))?;
            found = Folder {
                id: row.parse(0)?,
                parent: Some(found.id),
                path,
                created_at: row.time(1)?,
            };
        }
        Ok((found, 0))
    }

    /// Where a folder is, whether deleted or not.
    pub async fn folder_path(&self, id: FolderId) -> Result<FolderPath, DbError> {
        if id == Folder::ROOT {
            return Ok(FolderPath::root());
        }
        let rows = self.rows(UP, values![id]).await?;
        let names = rows.iter().map(|row| row.parse(0));
        Ok(FolderPath::stored(names.collect::<Result<_, _>>()?))
    }

    /// How far a folder reaches below itself: the most levels, and the most bytes of names with their slashes.
    pub async fn folder_reach(&self, id: FolderId) -> Result<(u64, u64), DbError> {
        let row = self.row(EXTENT, values![id]).await?;
        row.map_or(Ok((0, 0)), |row| Ok((row.uint(0)?, row.uint(1)?)))
    }

    /// The folders in a folder by name, at most `limit`, after the name given.
    pub async fn folders_in(
        &self,
        parent: &Folder,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Folder>, DbError> {
        let rows = self
            .rows(CHILDREN, values![parent.id, after, limit])
            .await?;
        rows.iter().map(|row| child(parent, row)).collect()
    }

    /// A folder and all folders below it, deepest first, at most `limit`.
    pub async fn folders_below(&self, id: FolderId, limit: u32) -> Result<Vec<FolderId>, DbError> {
        self.rows(BELOW, values![id, limit])
            .await?
            .iter()
            .map(|row| row.parse(0))
            .collect()
    }
}

fn child(parent: &Folder, row: &Row) -> Result<Folder, DbError> {
    let path = parent
        .path
        .child(row.parse(1)?)
        .map_err(|_| row.wrong(1, "a path that is too long"))?;
    Ok(Folder {
        id: row.parse(0)?,
        parent: Some(parent.id),
        path,
        created_at: row.time(2)?,
    })
}
