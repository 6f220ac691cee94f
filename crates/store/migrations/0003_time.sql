-- What happens by itself, and when.

CREATE TABLE calendar (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE schedule (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    calendar_id TEXT,
    body TEXT NOT NULL,
    next_at BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, calendar_id) REFERENCES calendar (tenant_id, id)
);

CREATE INDEX schedule_calendar ON schedule (tenant_id, calendar_id) WHERE calendar_id IS NOT NULL;

-- That a time has its run once is this table's key.
CREATE TABLE schedule_run (
    tenant_id TEXT NOT NULL,
    schedule_id TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, schedule_id, due_at),
    FOREIGN KEY (tenant_id, schedule_id) REFERENCES schedule (tenant_id, id)
);
