-- Every tenant table has the primary key (tenant_id, …) and composite foreign keys, so that no join crosses tenants.
-- Times are milliseconds, ids and JSON are text.

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE tenant (
    tenant_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    wrapped_key {bytes} NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE usage_total (
    tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenant (tenant_id),
    bytes BIGINT NOT NULL,
    files BIGINT NOT NULL
);

CREATE TABLE principal (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, kind, name)
);

CREATE TABLE api_key (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    principal_id TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    live_until BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, principal_id) REFERENCES principal (tenant_id, id)
);

CREATE INDEX api_key_owner ON api_key (tenant_id, principal_id, live_until);

CREATE TABLE folder (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    id TEXT NOT NULL,
    parent_id TEXT,
    name {name} NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES folder (tenant_id, id)
);

CREATE UNIQUE INDEX folder_place ON folder (tenant_id, parent_id, name) WHERE deleted_at IS NULL;

CREATE TABLE file (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    folder_id TEXT NOT NULL,
    name {name} NOT NULL,
    version BIGINT NOT NULL,
    is_current BIGINT NOT NULL,
    state TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    hash TEXT NOT NULL,
    content_type TEXT NOT NULL,
    detected_type TEXT,
    classification TEXT,
    tags TEXT NOT NULL,
    metadata TEXT NOT NULL,
    wrapped_key {bytes} NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, folder_id) REFERENCES folder (tenant_id, id)
);

CREATE UNIQUE INDEX file_place ON file (tenant_id, folder_id, name) WHERE is_current = 1;

CREATE INDEX file_current ON file (tenant_id, id) WHERE is_current = 1;

CREATE INDEX file_deleted ON file (tenant_id, id) WHERE state = 'deleted';

CREATE INDEX file_versions ON file (tenant_id, folder_id, name, version);

CREATE INDEX file_trash ON file (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE blob (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    inline {bytes},
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE extent (
    tenant_id TEXT NOT NULL,
    file_id TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    blob_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, file_id, ordinal),
    FOREIGN KEY (tenant_id, file_id) REFERENCES file (tenant_id, id),
    FOREIGN KEY (tenant_id, blob_id) REFERENCES blob (tenant_id, id)
);

CREATE INDEX extent_blob ON extent (tenant_id, blob_id);

CREATE TABLE reservation (
    tenant_id TEXT NOT NULL,
    blob_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, blob_id)
);

CREATE TABLE blob_garbage (
    tenant_id TEXT NOT NULL,
    blob_id TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, blob_id)
);

CREATE INDEX blob_garbage_due ON blob_garbage (due_at);

CREATE TABLE upload (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    wrapped_key {bytes} NOT NULL,
    hashed_parts BIGINT NOT NULL,
    hashed_state {bytes} NOT NULL,
    revision BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX upload_open ON upload (expires_at) WHERE state = 'open';

CREATE TABLE part (
    tenant_id TEXT NOT NULL,
    upload_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    blob_id TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (tenant_id, upload_id, number),
    FOREIGN KEY (tenant_id, upload_id) REFERENCES upload (tenant_id, id),
    FOREIGN KEY (tenant_id, blob_id) REFERENCES blob (tenant_id, id)
);

CREATE INDEX part_blob ON part (tenant_id, blob_id);

CREATE TABLE transfer (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    public_state TEXT NOT NULL,
    label TEXT,
    body TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    parent_id TEXT,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX transfer_parent ON transfer (tenant_id, parent_id, id);

CREATE TABLE bundle (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    plan TEXT NOT NULL,
    place TEXT,
    is_listed BIGINT NOT NULL,
    files_total BIGINT NOT NULL,
    files_done BIGINT NOT NULL,
    files_skipped BIGINT NOT NULL,
    files_failed BIGINT NOT NULL,
    bytes_total BIGINT NOT NULL,
    bytes_done BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, id) REFERENCES transfer (tenant_id, id)
);

CREATE TABLE remote (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE webhook (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE delivery (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    subject TEXT,
    sequence BIGINT NOT NULL,
    duration_ms BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhook (tenant_id, id)
);

CREATE INDEX delivery_webhook ON delivery (tenant_id, webhook_id, id);

CREATE INDEX delivery_event ON delivery (tenant_id, webhook_id, event_id);

CREATE INDEX delivery_subject ON delivery (tenant_id, webhook_id, subject, sequence) WHERE subject IS NOT NULL;

CREATE TABLE job (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    lane TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    owner TEXT,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (kind, subject)
);

CREATE INDEX job_due ON job (kind, run_at, priority);

CREATE INDEX job_turn ON job (kind, priority, lane, run_at);

CREATE TABLE journal (
    ord {serial},
    tenant_id TEXT NOT NULL,
    sequence BIGINT,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    operation TEXT NOT NULL,
    user_label TEXT NOT NULL,
    status TEXT NOT NULL,
    ip_address TEXT,
    transfer_id TEXT,
    principal_id TEXT,
    request_id TEXT,
    decision_id TEXT,
    subject_id TEXT,
    subject_path TEXT,
    data TEXT NOT NULL,
    leaf TEXT
);

CREATE UNIQUE INDEX journal_id ON journal (tenant_id, id);

CREATE UNIQUE INDEX journal_sequence ON journal (tenant_id, sequence) WHERE sequence IS NOT NULL;

CREATE INDEX journal_unsealed ON journal (ord) WHERE sequence IS NULL;

CREATE INDEX journal_transfer ON journal (tenant_id, transfer_id) WHERE transfer_id IS NOT NULL;

CREATE TABLE journal_head (
    tenant_id TEXT NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    frontier TEXT NOT NULL,
    checkpoint_size BIGINT NOT NULL
);

CREATE TABLE checkpoint (
    tenant_id TEXT NOT NULL,
    tree_size BIGINT NOT NULL,
    note TEXT NOT NULL,
    signed_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, tree_size)
);

CREATE TABLE journal_cursor (
    tenant_id TEXT NOT NULL,
    consumer TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, consumer)
);

CREATE TABLE idempotency (
    tenant_id TEXT NOT NULL,
    caller TEXT NOT NULL,
    route TEXT NOT NULL,
    key_text TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    token TEXT NOT NULL,
    owner TEXT NOT NULL,
    result TEXT,
    answer {bytes},
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, caller, route, key_text)
);

CREATE INDEX idempotency_expired ON idempotency (expires_at);
