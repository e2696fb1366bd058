-- Payments that become known otherwise than by a callback, days that were compared, and restored copies whose lost hours CLICK
-- was asked about. A program that does not know these tables leaves them alone.

-- What made an attempt paid of which no Complete had come (attempts.paid_source = 'reconciliation'). Append-only.
CREATE TABLE payment_reports (
    prepare_id INTEGER PRIMARY KEY REFERENCES attempts (prepare_id),
    at         INTEGER NOT NULL,
    source     TEXT    NOT NULL CHECK (source IN ('status', 'restore', 'statement', 'owner')),
    -- A person, 'operator' or 'reconciler'.
    by         TEXT    NOT NULL,
    payment_id INTEGER NOT NULL CHECK (payment_id > 0)
) STRICT;

CREATE TRIGGER payment_reports_are_not_changed BEFORE UPDATE ON payment_reports
BEGIN
    SELECT RAISE(ABORT, 'payment reports are append-only');
END;

CREATE TRIGGER payment_reports_are_kept BEFORE DELETE ON payment_reports
BEGIN
    SELECT RAISE(ABORT, 'payment reports are append-only');
END;

-- The days in Tashkent that were compared with CLICK and told to the bus.
CREATE TABLE compared_days (
    day         TEXT    PRIMARY KEY CHECK (day GLOB '????-??-??'),
    compared_at INTEGER NOT NULL,
    -- What CLICK said; NULL: the Merchant API was not used.
    click       TEXT CHECK (json_valid(click))
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_paid_at ON attempts (settled_at) WHERE state = 'paid';

-- Restores after which CLICK was asked about the attempts whose Complete the ledger may have lost.
CREATE TABLE restore_checks (
    restore_id INTEGER PRIMARY KEY REFERENCES restores (id),
    checked_at INTEGER NOT NULL
) STRICT;

-- Those of earlier releases are history.
INSERT INTO restore_checks (restore_id, checked_at) SELECT id, restored_at FROM restores;
