CREATE TABLE remote_health (
    tenant_id TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    body TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, remote_id),
    FOREIGN KEY (tenant_id, remote_id) REFERENCES remote (tenant_id, id)
);
