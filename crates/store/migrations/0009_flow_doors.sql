-- What the watches of flows know of files at remotes.
CREATE TABLE flow_sighting (
    tenant_id TEXT NOT NULL,
    flow_id TEXT NOT NULL,
    -- The file as transfers name it, and what tells this version from others.
    place TEXT NOT NULL,
    mark TEXT NOT NULL,
    since BIGINT NOT NULL,
    has_run BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, flow_id, place),
    FOREIGN KEY (tenant_id, flow_id) REFERENCES flow (tenant_id, id)
);

-- What came of the newest look for each path.
CREATE TABLE flow_watch (
    tenant_id TEXT NOT NULL,
    flow_id TEXT NOT NULL,
    path TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, flow_id, path),
    FOREIGN KEY (tenant_id, flow_id) REFERENCES flow (tenant_id, id)
);

-- The secrets by which those who have no key start flows.
CREATE TABLE flow_hook (
    tenant_id TEXT NOT NULL,
    flow_id TEXT NOT NULL,
    body TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, flow_id),
    FOREIGN KEY (tenant_id, flow_id) REFERENCES flow (tenant_id, id)
);

CREATE INDEX flow_hook_flow ON flow_hook (flow_id);
