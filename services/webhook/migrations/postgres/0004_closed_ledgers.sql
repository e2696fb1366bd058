-- A ledger that is closed to services: `tolov ledger copy` has moved it to another place, or it was put back to an earlier time
-- and `tolov ledger restored` has begun to tell it what happened since, and not ended.
ALTER TABLE ledger_state ADD COLUMN moved_to TEXT;
ALTER TABLE ledger_state ADD COLUMN restoring_since BIGINT;
