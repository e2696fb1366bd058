-- A refund that a restore takes back begins as over, also as one that CLICK has made: its return is open like every other.

DROP TRIGGER IF EXISTS refunds_given_by_hand_open_a_return;

CREATE TRIGGER IF NOT EXISTS refunds_that_begin_as_over_open_a_return AFTER INSERT ON refunds
WHEN NEW.state IN ('done', 'done_by_hand')
BEGIN
    INSERT OR IGNORE INTO open_returns (order_id)
    SELECT order_id FROM receipts WHERE order_id = NEW.order_id AND state <> 'by_hand';
END;

INSERT OR IGNORE INTO open_returns (order_id)
SELECT r.order_id FROM receipts AS r WHERE r.state <> 'by_hand' AND EXISTS (
  SELECT 1 FROM refunds AS f WHERE f.order_id = r.order_id AND f.state IN ('done', 'done_by_hand'));

-- By what the clock went further than the time while it was watched or the service did not run, as long as it matters to a time
-- limit: written anew with every note of the clock. A program that does not know this table notes a time that lacks all of it.
CREATE TABLE IF NOT EXISTS clock_jumps (
    -- The oldest first.
    place    INTEGER PRIMARY KEY,
    by_ms    INTEGER NOT NULL,
    -- How long the service had run since, in all its processes.
    age_ms   INTEGER NOT NULL,
    -- ledger_state.clock_believed_at of the note that it belongs to.
    noted_at INTEGER NOT NULL
) STRICT;
