-- Whether the money came after its order had ended. The event of the payment says so too, but is deleted after a week. A trigger
-- keeps it, so that a program that does not know this column keeps it as well.
ALTER TABLE attempts ADD COLUMN paid_late INTEGER NOT NULL DEFAULT 0
  CHECK (paid_late = 0 OR (paid_late = 1 AND state = 'paid'));

CREATE TRIGGER late_payments_stay_late AFTER INSERT ON outbox
WHEN NEW.routing_key = 'payment.completed' AND NEW.body ->> '$.late'
BEGIN
    UPDATE attempts SET paid_late = 1 WHERE order_id = NEW.order_id AND state = 'paid';
END;

UPDATE attempts SET paid_late = 1 WHERE state = 'paid' AND order_id IN (
  SELECT order_id FROM outbox WHERE routing_key = 'payment.completed' AND body ->> '$.late');

-- Where the event is gone: attempts are given up when their order ends, and a paid order does not end.
UPDATE attempts SET paid_late = 1 WHERE state = 'paid'
  AND order_id IN (SELECT order_id FROM attempts WHERE state = 'given_up')
  AND NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.event_id = 'payment.completed:' || attempts.order_id);
