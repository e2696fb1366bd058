-- ../0008_restores_and_clocks.sql
CREATE TABLE clock_jumps (
    -- The oldest first.
    place    BIGINT PRIMARY KEY,
    by_ms    BIGINT NOT NULL,
    -- How long the service had run since, in all its processes.
    age_ms   BIGINT NOT NULL,
    -- ledger_state.clock_believed_at of the note that it belongs to.
    noted_at BIGINT NOT NULL
);
