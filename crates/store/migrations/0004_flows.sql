-- Flows, their documents, their runs, and the steps of these.

CREATE TABLE flow (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    -- Whether its triggers listen to the journal.
    listens BIGINT NOT NULL,
    -- The run whose turn it is.
    active_run TEXT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE flow_version (
    tenant_id TEXT NOT NULL,
    flow_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, flow_id, version)
);

-- Runs outlive their flow: they are its history.
CREATE TABLE flow_run (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    id TEXT NOT NULL,
    flow_id TEXT NOT NULL,
    state TEXT NOT NULL,
    trigger_key TEXT,
    due_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, flow_id, trigger_key)
);

CREATE INDEX flow_run_flow ON flow_run (tenant_id, flow_id, id);

CREATE INDEX flow_run_open ON flow_run (tenant_id, flow_id, state, id) WHERE state IN ('queued', 'running', 'waiting');

CREATE TABLE flow_step (
    tenant_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    step_key TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    body TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, run_id, step_key),
    FOREIGN KEY (tenant_id, run_id) REFERENCES flow_run (tenant_id, id)
);

INSERT INTO journal_cursor (tenant_id, consumer, sequence) SELECT tenant_id, 'flows', size FROM journal_head;
