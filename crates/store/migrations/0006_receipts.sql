-- What proofs about a journal are made of: the roots of its perfect subtrees, so that none has to read all entries.
-- Only those of at least 256 entries are kept; smaller ones are computed from the entries.
CREATE TABLE journal_node (
    tenant_id TEXT NOT NULL,
    level BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (tenant_id, level, ordinal)
);

-- Transfers of a tenant that have not ended, to be counted.
CREATE INDEX transfer_open ON transfer (tenant_id)
    WHERE parent_id IS NULL AND public_state IN ('queued', 'running', 'paused');
