-- ../0009_late_payments.sql
ALTER TABLE attempts ADD COLUMN paid_late BOOLEAN NOT NULL DEFAULT FALSE CHECK (NOT paid_late OR state = 'paid');

CREATE FUNCTION late_payments_stay_late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE attempts SET paid_late = TRUE WHERE order_id = NEW.order_id AND state = 'paid';
    RETURN NULL;
END $$;

CREATE TRIGGER late_payments_stay_late AFTER INSERT ON outbox FOR EACH ROW
WHEN (CASE NEW.routing_key WHEN 'payment.completed' THEN (NEW.body::json ->> 'late')::boolean END)
EXECUTE FUNCTION late_payments_stay_late();

UPDATE attempts SET paid_late = TRUE WHERE state = 'paid' AND order_id IN (
  SELECT order_id FROM outbox
  WHERE CASE routing_key WHEN 'payment.completed' THEN (body::json ->> 'late')::boolean END);

UPDATE attempts SET paid_late = TRUE WHERE state = 'paid'
  AND order_id IN (SELECT order_id FROM attempts WHERE state = 'given_up')
  AND NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.event_id = 'payment.completed:' || attempts.order_id);
