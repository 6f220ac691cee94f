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

CREATE TABLE alert_rule (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    calendar_id TEXT,
    is_enabled BIGINT NOT NULL,
    body TEXT NOT NULL,
    memory TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, calendar_id) REFERENCES calendar (tenant_id, id)
);

CREATE INDEX alert_rule_calendar ON alert_rule (tenant_id, calendar_id) WHERE calendar_id IS NOT NULL;

-- Entries that a rule counts, by the minute.
CREATE TABLE alert_count (
    tenant_id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    minute_at BIGINT NOT NULL,
    matched BIGINT NOT NULL,
    other BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, rule_id, minute_at),
    FOREIGN KEY (tenant_id, rule_id) REFERENCES alert_rule (tenant_id, id)
);

CREATE TABLE alert_habit (
    tenant_id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    principal_id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, rule_id, principal_id),
    FOREIGN KEY (tenant_id, rule_id) REFERENCES alert_rule (tenant_id, id)
);

CREATE TABLE alert (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    severity TEXT NOT NULL,
    body TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- One incident is one alert.
CREATE UNIQUE INDEX alert_open ON alert (tenant_id, rule_id, subject) WHERE state <> 'resolved';

CREATE INDEX alert_state ON alert (tenant_id, state, id);
