-- Every time that this ledger was put back from a backup. Numbers up to the floor may have been given to CLICK after the
-- backup was made, by the ledger that was lost: they are never given again.

CREATE TABLE restores (
    id               INTEGER PRIMARY KEY,
    restored_at      INTEGER NOT NULL,
    backup_made_at   INTEGER NOT NULL,
    prepare_id_floor INTEGER NOT NULL CHECK (prepare_id_floor BETWEEN 0 AND 9007199254740990)
) STRICT;

CREATE TRIGGER restores_are_not_changed BEFORE UPDATE ON restores
BEGIN
    SELECT RAISE(ABORT, 'restores are append-only');
END;

CREATE TRIGGER restores_are_kept BEFORE DELETE ON restores
BEGIN
    SELECT RAISE(ABORT, 'restores are append-only');
END;
