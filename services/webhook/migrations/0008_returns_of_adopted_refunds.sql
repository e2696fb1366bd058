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
