use bailee_model::FlowId;
use bailee_model::flow::{Sighting, WatchState};

use crate::rows::{from_json, json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    SEE: tenant = "INSERT INTO flow_sighting (tenant_id, flow_id, place, mark, since, has_run) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, flow_id, place) \
        DO UPDATE SET mark = excluded.mark, since = excluded.since, has_run = excluded.has_run";
    FORGET: tenant = "DELETE FROM flow_sighting WHERE tenant_id = $1 AND flow_id = $2 AND place = $3";
    FORGET_ALL: tenant = "DELETE FROM flow_sighting WHERE tenant_id = $1 AND flow_id = $2";
    SEEN: tenant = "SELECT place, mark, since, has_run FROM flow_sighting WHERE tenant_id = $1 AND flow_id = $2 \
        ORDER BY place LIMIT $3";
    PUT: tenant = "INSERT INTO flow_watch (tenant_id, flow_id, path, body) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (tenant_id, flow_id, path) DO UPDATE SET body = excluded.body";
    DROP: tenant = "DELETE FROM flow_watch WHERE tenant_id = $1 AND flow_id = $2 AND path = $3";
    DROP_ALL: tenant = "DELETE FROM flow_watch WHERE tenant_id = $1 AND flow_id = $2";
    STATES: tenant = "SELECT body FROM flow_watch WHERE tenant_id = $1 AND flow_id = $2 ORDER BY path";
}

/// What the verbs here would call a conflict; they have none.
const NONE: &str = "flow_watch";

impl Change {
    /// Remembers a version of a file at a remote, instead of any other version of it.
    pub fn put_sighting(&mut self, flow: FlowId, sighting: &Sighting) -> &mut Self {
        let row = values![
            flow,
            &sighting.place,
            &sighting.mark,
            sighting.since,
            i64::from(sighting.has_run)
        ];
        self.add(SEE, row, Guard::Any, NONE)
    }

    /// Forgets a file at a remote.
    pub fn forget_sighting(&mut self, flow: FlowId, place: &str) -> &mut Self {
        self.add(FORGET, values![flow, place], Guard::Any, NONE)
    }

    /// Keeps what came of the newest look for a path.
    pub fn put_watch_state(&mut self, flow: FlowId, state: &WatchState) -> &mut Self {
        let row = values![flow, state.path.to_string(), json(state)];
        self.add(PUT, row, Guard::Any, NONE)
    }

    /// Forgets what came of looks for a path.
    pub fn drop_watch_state(&mut self, flow: FlowId, state: &WatchState) -> &mut Self {
        let row = values![flow, state.path.to_string()];
        self.add(DROP, row, Guard::Any, NONE)
    }

    /// Forgets all that watches of a flow know.
    pub fn forget_watches(&mut self, flow: FlowId) -> &mut Self {
        self.add(FORGET_ALL, values![flow], Guard::Any, NONE);
        self.add(DROP_ALL, values![flow], Guard::Any, NONE)
    }
}

impl Reader {
    /// Files at remotes that watches of a flow know.
    pub async fn sightings(&self, flow: FlowId, most: u64) -> Result<Vec<Sighting>, DbError> {
        let rows = self.rows(SEEN, values![flow, most]).await?;
        let read = rows.iter().map(|row| {
            Ok(Sighting {
                place: row.text(0)?.to_owned(),
                mark: row.text(1)?.to_owned(),
                since: row.time(2)?,
                has_run: row.int(3)? == 1,
            })
        });
        read.collect()
    }

    /// What came of the newest looks of a flow's watches, by path.
    pub async fn watch_states(&self, flow: FlowId) -> Result<Vec<WatchState>, DbError> {
        let rows = self.rows(STATES, values![flow]).await?;
        rows.iter().map(|row| from_json(row, 0)).collect()
    }
}
