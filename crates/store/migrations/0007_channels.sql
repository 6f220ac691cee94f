-- Channels hand each file that arrives in a folder on to all subscribers. A row of `publication` is one file version for
-- one subscriber: its key is what makes that happen once.

CREATE TABLE channel (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE subscriber (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, channel_id, name),
    FOREIGN KEY (tenant_id, channel_id) REFERENCES channel (tenant_id, id)
);

CREATE TABLE publication (
    tenant_id TEXT NOT NULL,
    subscriber_id TEXT NOT NULL,
    file_id TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    path TEXT NOT NULL,
    event_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    state TEXT NOT NULL,
    hops BIGINT NOT NULL,
    replays BIGINT NOT NULL,
    transfer_id TEXT,
    webhook_id TEXT,
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    PRIMARY KEY (tenant_id, subscriber_id, file_id),
    FOREIGN KEY (tenant_id, subscriber_id) REFERENCES subscriber (tenant_id, id)
);

CREATE INDEX publication_waiting ON publication (tenant_id, subscriber_id, sequence) WHERE state = 'waiting';

CREATE INDEX publication_transfer ON publication (tenant_id, transfer_id) WHERE transfer_id IS NOT NULL;

CREATE INDEX publication_age ON publication (created_at);
