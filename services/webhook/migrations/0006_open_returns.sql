-- Refunded orders that may have a receipt of their sale, until a person has dealt with that of the return: the reconciler asks how
-- many receipts are missing every few seconds, and a shop's refunds are kept for ever.

CREATE TABLE open_returns (order_id INTEGER PRIMARY KEY REFERENCES receipts (order_id)) STRICT;

INSERT INTO open_returns (order_id)
SELECT r.order_id FROM receipts AS r WHERE r.state <> 'by_hand' AND EXISTS (
  SELECT 1 FROM refunds AS f WHERE f.order_id = r.order_id AND f.state IN ('done', 'done_by_hand'));

CREATE TRIGGER refunds_open_a_return AFTER UPDATE OF state ON refunds WHEN NEW.state IN ('done', 'done_by_hand')
BEGIN
    INSERT OR IGNORE INTO open_returns (order_id)
    SELECT order_id FROM receipts WHERE order_id = NEW.order_id AND state <> 'by_hand';
END;

CREATE TRIGGER refunds_given_by_hand_open_a_return AFTER INSERT ON refunds WHEN NEW.state = 'done_by_hand'
BEGIN
    INSERT OR IGNORE INTO open_returns (order_id)
    SELECT order_id FROM receipts WHERE order_id = NEW.order_id AND state <> 'by_hand';
END;

CREATE TRIGGER receipts_close_their_return AFTER UPDATE OF state ON receipts WHEN NEW.state = 'by_hand'
BEGIN
    DELETE FROM open_returns WHERE order_id = NEW.order_id;
END;

DROP VIEW missing_receipts;

-- As before: orders of which a receipt waits for a person.
CREATE VIEW missing_receipts AS
  SELECT order_id FROM receipts WHERE state = 'missing'
  UNION ALL
  SELECT order_id FROM open_returns CROSS JOIN receipts USING (order_id) WHERE state IN ('known', 'submitted');
