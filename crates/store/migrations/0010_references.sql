-- What flows and schedules name, in the way in which they name it: `remote:bank`, `webhook:whk_…`. Nothing that stands here
-- is removed. A row goes with its user's row.
CREATE TABLE reference (
    tenant_id TEXT NOT NULL REFERENCES tenant (tenant_id),
    user_id TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, target)
);

CREATE INDEX reference_target ON reference (tenant_id, target);
