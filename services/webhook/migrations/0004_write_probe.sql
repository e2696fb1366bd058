-- One row, written when somebody asks whether the ledger can be written again after a commit has failed.

CREATE TABLE write_probe (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    probed_at INTEGER NOT NULL
) STRICT;
