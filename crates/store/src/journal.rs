use bailee_model::{
    AuditId, Entry, EntryKind, EventType, FolderPath, Outcome, Page, PageRequest, SealedEntry,
    Subject, TenantId, Timestamp, TransferId,
};

use crate::proof::{INSERT_NODE, JournalNode};
use crate::rows::statements;
use crate::{Change, DbError, Guard, QueueDoor, Reader, Row, Script, Value, values};

/// The columns of an entry, in the order [`read`] takes them.
macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT sequence, id, kind, made_at, operation, user_label, status, ip_address, transfer_id, principal_id, \
             request_id, decision_id, subject_id, subject_path, data, leaf, ord, tenant_id FROM journal ",
            $rest
        )
    };
}

statements! {
    INSERT: tenant = "INSERT INTO journal (tenant_id, id, kind, made_at, operation, user_label, status, ip_address, \
        transfer_id, principal_id, request_id, decision_id, subject_id, subject_path, data) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    UNSEALED: across = columns!(
        "WHERE sequence IS NULL AND CAST($2 AS TEXT) NOT LIKE '%|' || tenant_id || '|%' ORDER BY ord LIMIT $1");
    SEAL: tenant = "UPDATE journal SET sequence = $3, leaf = $4 WHERE tenant_id = $1 AND ord = $2 AND sequence IS NULL";
    HEAD: tenant = "SELECT size, frontier, checkpoint_size FROM journal_head WHERE tenant_id = $1";
    PUT_HEAD: tenant = "UPDATE journal_head SET size = $2, frontier = $3 WHERE tenant_id = $1 AND size = $4";
    CHECKPOINTED: tenant = "UPDATE journal_head SET checkpoint_size = $2 WHERE tenant_id = $1 AND checkpoint_size < $2";
    BEHIND: across = "SELECT tenant_id, size, frontier, checkpoint_size FROM journal_head WHERE size > checkpoint_size LIMIT 1000";
    INSERT_CHECKPOINT: tenant = "INSERT INTO checkpoint (tenant_id, tree_size, note, signed_at) VALUES ($1, $2, $3, $4)";
    CHECKPOINTS: tenant = "SELECT tree_size, note, signed_at FROM checkpoint WHERE tenant_id = $1 AND tree_size < $2 \
        ORDER BY tree_size DESC LIMIT $3";
    CHECKPOINTS_UP: tenant = "SELECT tree_size, note, signed_at FROM checkpoint WHERE tenant_id = $1 AND tree_size > $2 \
        ORDER BY tree_size LIMIT $3";
    READ: tenant = columns!("WHERE tenant_id = $1 AND id = $2 AND sequence IS NOT NULL");
    WALK: tenant = columns!("WHERE tenant_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3");
    ABOUT: tenant = columns!(
        "WHERE tenant_id = $1 AND id >= $2 AND id < $3 AND subject_id = $4 AND sequence IS NOT NULL ORDER BY id DESC LIMIT $5");
    UNSEALED_COUNT: tenant = "SELECT COUNT(*) FROM journal WHERE tenant_id = $1 AND sequence IS NULL";
    SEARCH: tenant = columns!(
        "WHERE tenant_id = $1 AND sequence < $2 \
         AND (CAST($3 AS TEXT) IS NULL OR operation = $3) AND (CAST($4 AS TEXT) IS NULL OR user_label = $4) \
         AND (CAST($5 AS TEXT) IS NULL OR status = $5) AND (CAST($6 AS TEXT) IS NULL OR ip_address = $6) \
         AND (CAST($7 AS TEXT) IS NULL OR transfer_id = $7) AND (CAST($8 AS TEXT) IS NULL OR request_id = $8) \
         AND (CAST($9 AS TEXT) IS NULL OR subject_path = $9 OR subject_path LIKE $10 ESCAPE '!') \
         AND made_at >= $11 AND made_at < $12 AND (CAST($13 AS TEXT) IS NULL OR subject_id = $13) \
         ORDER BY sequence DESC LIMIT $14");
    EVENTS: tenant = columns!(
        "WHERE tenant_id = $1 AND sequence > $2 AND kind <> 'record' \
         AND (CAST($3 AS TEXT) IS NULL OR CAST($3 AS TEXT) LIKE '%|' || kind || '|%') \
         AND (CAST($4 AS TEXT) IS NULL OR subject_path = $4 OR subject_path LIKE $5 ESCAPE '!') \
         ORDER BY sequence LIMIT $6");
    NEWEST_EVENTS: tenant = columns!(
        "WHERE tenant_id = $1 AND sequence IS NOT NULL AND kind <> 'record' \
         AND (CAST($2 AS TEXT) IS NULL OR CAST($2 AS TEXT) LIKE '%|' || kind || '|%') \
         AND (CAST($3 AS TEXT) IS NULL OR subject_path = $3 OR subject_path LIKE $4 ESCAPE '!') \
         ORDER BY sequence DESC LIMIT $5");
    FIRST_FROM: tenant = "SELECT sequence FROM journal WHERE tenant_id = $1 AND id >= $2 AND sequence IS NOT NULL ORDER BY id LIMIT 1";
    INSERT_HEAD: tenant = "INSERT INTO journal_head (tenant_id, size, frontier, checkpoint_size) VALUES ($1, 0, '', 0)";
}

/// The conflict of sealing and of moving a cursor: another node was first.
pub const HEAD_MOVED: &str = "journal_head";

/// How far a journal is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Sealed entries.
    pub size: u64,
    /// The roots of the perfect subtrees that the tree consists of, largest first, as hex joined by `.`.
    pub frontier: String,
    /// Size of the newest signed checkpoint.
    pub checkpoint_size: u64,
}

/// An entry that has no sequence yet.
#[derive(Clone, Debug)]
pub struct UnsealedEntry {
    /// Whose journal.
    pub tenant: TenantId,
    /// Its place in the order of writing.
    pub ord: i64,
    /// The entry.
    pub entry: Entry,
}

/// An entry as stored, with the leaf hash that stands beside it.
pub type StoredEntry = (SealedEntry, String);

/// Which audit records a search finds.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only of this operation.
    pub operation: Option<String>,
    /// Only by this user.
    pub user: Option<String>,
    /// Only with this status.
    pub status: Option<String>,
    /// Only from this address.
    pub ip_address: Option<String>,
    /// Only of this transfer.
    pub transfer: Option<TransferId>,
    /// Only of this request.
    pub request: Option<String>,
    /// Only about this thing.
    pub subject: Option<String>,
    /// Only about this path or below it.
    pub path: Option<String>,
    /// Only at or after this time.
    pub after: Option<Timestamp>,
    /// Only before this time.
    pub before: Option<Timestamp>,
}

/// Which published entries are read.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only of these types; empty is all.
    pub types: Vec<EventType>,
    /// Only about this path or below it.
    pub path: Option<FolderPath>,
}

impl Change {
    /// Adds an entry to the tenant's journal: audit record and event in one.
    pub fn journal(&mut self, entry: &Entry) -> &mut Self {
        let row = values![
            entry.id,
            entry.kind.as_str(),
            entry.timestamp,
            &entry.operation,
            &entry.user,
            entry.status.as_str(),
            entry.ip_address.map(|ip| ip.to_string()),
            entry.transfer,
            entry.principal.map(|id| id.to_string()),
            entry.request,
            entry.decision,
            entry.subject.id.as_deref(),
            entry.subject.path.as_deref(),
            &entry.data,
        ];
        self.add(INSERT, row, Guard::One, "journal")
    }

    /// Begins a tenant's journal; `consumers` read it from its first entry on.
    pub fn begin_journal(&mut self, consumers: &[&str]) -> &mut Self {
        self.add(INSERT_HEAD, values![], Guard::One, HEAD_MOVED);
        for consumer in consumers {
            self.begin_consumer(consumer);
        }
        self
    }
}

impl Reader {
    /// How far the journal is sealed.
    pub async fn journal_head(&self) -> Result<Option<Head>, DbError> {
        let row = self.row(HEAD, values![]).await?;
        row.map(|row| head(&row, 0)).transpose()
    }

    /// One sealed entry.
    pub async fn entry(&self, id: AuditId) -> Result<Option<SealedEntry>, DbError> {
        self.row(READ, values![id])
            .await?
            .map(|row| Ok(read(&row)?.0))
            .transpose()
    }

    /// Sealed entries after a sequence, with their stored leaf hashes, oldest first.
    pub async fn walk(&self, after: u64, limit: u32) -> Result<Vec<StoredEntry>, DbError> {
        self.rows(WALK, values![after, limit])
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// How many entries wait to be sealed.
    pub async fn count_unsealed(&self) -> Result<u64, DbError> {
        self.row(UNSEALED_COUNT, values![])
            .await?
            .map_or(Ok(0), |row| row.uint(0))
    }

    /// Sealed entries, newest first.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<Page<SealedEntry>, DbError> {
        let before = page
            .after
            .as_ref()
            .and_then(|cursor| cursor.id.parse().ok())
            .unwrap_or(i64::MAX);
        let below = filter.path.as_deref().map(below);
        let row = values![
            before,
            filter.operation.as_deref(),
            filter.user.as_deref(),
            filter.status.as_deref(),
            filter.ip_address.as_deref(),
            filter.transfer,
            filter.request.as_deref(),
            filter.path.as_deref(),
            below,
            filter.after.map_or(i64::MIN, Timestamp::ms),
            filter.before.map_or(i64::MAX, Timestamp::ms),
            filter.subject.as_deref(),
            page.limit + 1,
        ];
        let rows = self.rows(SEARCH, row).await?;
        let found = rows
            .iter()
            .map(|row| Ok(read(row)?.0))
            .collect::<Result<Vec<_>, DbError>>()?;
        Ok(Page::cut(found, page.limit, |last| {
            crate::reader::by_id(last.sequence)
        }))
    }

    /// Sealed entries about a thing, newest first, from an id on: what is told of it since it was made.
    pub async fn entries_about(
        &self,
        subject: &str,
        from: AuditId,
        page: &PageRequest,
    ) -> Result<Page<SealedEntry>, DbError> {
        let row = values![from, crate::reader::before(page), subject, page.limit + 1];
        let rows = self.rows(ABOUT, row).await?;
        let found = rows.iter().map(|row| Ok(read(row)?.0));
        let found = found.collect::<Result<Vec<_>, DbError>>()?;
        let cursor = |last: &SealedEntry| crate::reader::by_id(last.entry.id);
        Ok(Page::cut(found, page.limit, cursor))
    }

    /// Published entries after a sequence, oldest first.
    pub async fn events_after(
        &self,
        after: u64,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<SealedEntry>, DbError> {
        let (types, path, below) = filter.values();
        let row = values![after, types, path, below, limit];
        let rows = self.rows(EVENTS, row).await?;
        rows.iter().map(|row| Ok(read(row)?.0)).collect()
    }

    /// The newest published entries, oldest first.
    pub async fn newest_events(
        &self,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<SealedEntry>, DbError> {
        let (types, path, below) = filter.values();
        let row = values![types, path, below, limit];
        let rows = self.rows(NEWEST_EVENTS, row).await?;
        rows.iter().rev().map(|row| Ok(read(row)?.0)).collect()
    }

    /// The place of the first sealed entry, by id, from `id` on. Entries of the same moment may stand a little before it.
    pub async fn first_from(&self, id: AuditId) -> Result<Option<u64>, DbError> {
        let row = self.row(FIRST_FROM, values![id]).await?;
        row.map(|row| row.uint(0)).transpose()
    }

    /// Signed checkpoints with a smaller tree, newest first: size, note, time.
    pub async fn checkpoints(
        &self,
        below: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String, Timestamp)>, DbError> {
        self.rows(CHECKPOINTS, values![below, limit])
            .await?
            .iter()
            .map(checkpoint)
            .collect()
    }

    /// Signed checkpoints with a larger tree, oldest first: size, note, time.
    pub async fn checkpoints_after(
        &self,
        above: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String, Timestamp)>, DbError> {
        self.rows(CHECKPOINTS_UP, values![above, limit])
            .await?
            .iter()
            .map(checkpoint)
            .collect()
    }
}

impl QueueDoor {
    /// Entries without a sequence in the order of writing, of all tenants but `except`.
    pub async fn unsealed(
        &self,
        limit: u32,
        except: &[TenantId],
    ) -> Result<Vec<UnsealedEntry>, DbError> {
        let except: Vec<String> = except.iter().map(ToString::to_string).collect();
        let except = format!("|{}|", except.join("|"));
        let rows = self.across(UNSEALED, values![limit, except]).await?;
        rows.iter()
            .map(|row| {
                Ok(UnsealedEntry {
                    tenant: row.parse(17)?,
                    ord: row.int(16)?,
                    entry: entry(row)?,
                })
            })
            .collect()
    }

    /// Gives entries of one tenant their sequences and moves the head from `from` to `to`; the conflict is
    /// [`HEAD_MOVED`]. `leaves` are (ord, leaf hash) in order; the first gets sequence `from.size + 1`. `nodes` are the
    /// subtrees that they complete.
    pub async fn seal(
        &self,
        tenant: TenantId,
        (from, to): (&Head, &Head),
        (leaves, nodes): (&[(i64, String)], &[JournalNode]),
    ) -> Result<(), DbError> {
        let mut script = Script::tenant(tenant);
        let id = Value::text(tenant);
        let head = values![id.clone(), to.size, &to.frontier, from.size];
        script.push(PUT_HEAD, head, Guard::One, HEAD_MOVED);
        for (sequence, (ord, leaf)) in (from.size + 1..).zip(leaves) {
            script.push(
                SEAL,
                values![id.clone(), *ord, sequence, leaf],
                Guard::One,
                HEAD_MOVED,
            );
        }
        for node in nodes {
            script.push(INSERT_NODE, node.row(&id), Guard::Any, HEAD_MOVED);
        }
        self.db().run(script).await.map(drop)
    }

    /// Journals that have grown since their last checkpoint.
    pub async fn behind_checkpoint(&self) -> Result<Vec<(TenantId, Head)>, DbError> {
        let rows = self.across(BEHIND, values![]).await?;
        rows.iter()
            .map(|row| Ok((row.parse(0)?, head(row, 1)?)))
            .collect()
    }

    /// Stores a signed checkpoint.
    pub async fn put_checkpoint(
        &self,
        tenant: TenantId,
        tree_size: u64,
        note: &str,
        now: Timestamp,
    ) -> Result<(), DbError> {
        let mut script = Script::tenant(tenant);
        let id = Value::text(tenant);
        script.push(
            CHECKPOINTED,
            values![id.clone(), tree_size],
            Guard::One,
            HEAD_MOVED,
        );
        script.push(
            INSERT_CHECKPOINT,
            values![id, tree_size, note, now],
            Guard::One,
            HEAD_MOVED,
        );
        self.db().run(script).await.map(drop)
    }
}

impl EventFilter {
    /// The types between bars, the path, and the pattern of what is below it.
    fn values(&self) -> (Option<String>, Option<String>, Option<String>) {
        let words: Vec<&str> = self.types.iter().map(|kind| kind.as_str()).collect();
        let types = (!words.is_empty()).then(|| format!("|{}|", words.join("|")));
        let path = self.path.as_ref().map(ToString::to_string);
        let below = path.as_deref().map(below);
        (types, path, below)
    }
}

/// The pattern of all paths below one.
fn below(path: &str) -> String {
    let path = path.trim_end_matches('/');
    let path = path
        .replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_");
    format!("{path}/%")
}

fn head(row: &Row, at: usize) -> Result<Head, DbError> {
    Ok(Head {
        size: row.uint(at)?,
        frontier: row.text(at + 1)?.to_owned(),
        checkpoint_size: row.uint(at + 2)?,
    })
}

fn checkpoint(row: &Row) -> Result<(u64, String, Timestamp), DbError> {
    Ok((row.uint(0)?, row.text(1)?.to_owned(), row.time(2)?))
}

fn read(row: &Row) -> Result<StoredEntry, DbError> {
    let sealed = SealedEntry {
        sequence: row.uint(0)?,
        entry: entry(row)?,
    };
    Ok((sealed, row.opt_text(15)?.unwrap_or_default().to_owned()))
}

fn entry(row: &Row) -> Result<Entry, DbError> {
    let status = match row.text(6)? {
        "success" => Outcome::Success,
        "denied" => Outcome::Denied,
        "error" => Outcome::Error,
        _ => return Err(row.wrong(6, "an unknown word")),
    };
    Ok(Entry {
        id: row.parse(1)?,
        kind: EntryKind::parse(row.text(2)?).ok_or_else(|| row.wrong(2, "an unknown kind"))?,
        timestamp: row.time(3)?,
        operation: row.text(4)?.to_owned(),
        user: row.text(5)?.to_owned(),
        status,
        ip_address: row.opt_parse(7)?,
        transfer: row.opt_parse(8)?,
        principal: row.opt_parse(9)?,
        request: row.opt_parse(10)?,
        decision: row.opt_parse(11)?,
        subject: Subject {
            id: row.opt_text(12)?.map(str::to_owned),
            path: row.opt_text(13)?.map(str::to_owned),
        },
        data: row.text(14)?.to_owned(),
    })
}
