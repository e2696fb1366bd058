-- Fiscal receipts (../0003_receipts.sql and ../0006_open_returns.sql), and the two further ways to pay through CLICK
-- (../0004_invoices.sql).

CREATE TABLE receipts (
    order_id     BIGINT PRIMARY KEY REFERENCES orders (order_id),
    content      TEXT   NOT NULL CHECK (content::json IS NOT NULL),
    state        TEXT   NOT NULL CHECK (state IN ('agreed', 'needed', 'submitting', 'unknown', 'submitted', 'known', 'missing',
                                                  'by_hand')),
    payment_id   BIGINT CHECK (payment_id > 0),
    url          TEXT,
    click_code   BIGINT,
    click_note   TEXT,
    why          TEXT,
    decided_by   TEXT,
    document     TEXT,
    body_hash    TEXT CHECK (length(body_hash) = 64),
    since        BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL,
    changed_by   TEXT   NOT NULL,
    step         BIGINT NOT NULL CHECK (step >= 0),
    tries        BIGINT NOT NULL CHECK (tries >= 0),
    next_step_at BIGINT,
    CHECK (state NOT IN ('submitting', 'unknown', 'submitted', 'known') OR payment_id IS NOT NULL),
    CHECK (state NOT IN ('submitting', 'unknown', 'submitted') OR (tries > 0 AND body_hash IS NOT NULL)),
    CHECK ((state = 'known') = (url IS NOT NULL)),
    CHECK ((state = 'missing') = (why IS NOT NULL)),
    CHECK ((state = 'by_hand') = (decided_by IS NOT NULL)),
    CHECK ((state = 'by_hand') = (document IS NOT NULL)),
    CHECK ((tries > 0) = (body_hash IS NOT NULL))
);

CREATE INDEX receipts_due ON receipts (next_step_at) WHERE next_step_at IS NOT NULL;
CREATE INDEX receipts_missing ON receipts (order_id) WHERE state = 'missing';

CREATE TABLE open_returns (order_id BIGINT PRIMARY KEY REFERENCES receipts (order_id));

CREATE VIEW missing_receipts AS
  SELECT order_id FROM receipts WHERE state = 'missing'
  UNION ALL
  SELECT order_id FROM open_returns JOIN receipts USING (order_id) WHERE state IN ('known', 'submitted');

CREATE VIEW receipts_as_json AS
SELECT r.order_id, r.state, r.next_step_at,
    json_build_object('order_id', r.order_id, 'amount_tiyin', o.amount_tiyin, 'content', r.content::json, 'state', r.state,
        'payment_id', r.payment_id, 'url', r.url, 'click_code', r.click_code, 'click_note', r.click_note, 'why', r.why,
        'decided_by', r.decided_by, 'document', r.document, 'body_hash', r.body_hash, 'since', r.since,
        'changed_at', r.changed_at, 'step', r.step, 'tries', r.tries, 'next_step_at', r.next_step_at)::text AS receipt
FROM receipts AS r JOIN orders AS o ON o.order_id = r.order_id;

CREATE TABLE receipt_steps (
    order_id   BIGINT NOT NULL REFERENCES receipts (order_id),
    step       BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    state      TEXT   NOT NULL,
    by         TEXT   NOT NULL,
    payment_id BIGINT,
    url        TEXT,
    click_code BIGINT,
    click_note TEXT,
    why        TEXT,
    document   TEXT,
    PRIMARY KEY (order_id, step)
);

CREATE TRIGGER receipt_steps_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt_steps
EXECUTE FUNCTION refuse('receipt steps are append-only');

CREATE FUNCTION receipts_are_needed_once_paid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE receipts SET state = 'needed', since = NEW.changed_at, changed_at = NEW.changed_at, changed_by = 'ledger',
        step = step + 1, next_step_at = NEW.changed_at
    WHERE order_id = NEW.order_id AND state = 'agreed';
    RETURN NULL;
END $$;

CREATE TRIGGER receipts_are_needed_once_paid AFTER UPDATE OF status ON orders FOR EACH ROW
WHEN (NEW.status = 'paid' AND OLD.status <> 'paid')
EXECUTE FUNCTION receipts_are_needed_once_paid();

CREATE TRIGGER receipts_begin_as_agreed BEFORE INSERT ON receipts FOR EACH ROW
WHEN (NEW.state <> 'agreed' OR NEW.step <> 0 OR NEW.tries <> 0)
EXECUTE FUNCTION refuse('a receipt begins with its order');

CREATE TRIGGER receipts_keep_what_was_agreed BEFORE UPDATE ON receipts FOR EACH ROW
WHEN (NEW.order_id IS DISTINCT FROM OLD.order_id OR NEW.content IS DISTINCT FROM OLD.content OR NEW.step <> OLD.step + 1
    OR (OLD.body_hash IS NOT NULL AND NEW.body_hash IS DISTINCT FROM OLD.body_hash)
    OR NEW.state = 'agreed' OR OLD.state = 'by_hand'
    OR (OLD.state = 'known' AND NEW.state <> 'by_hand')
    OR ((NEW.state = 'submitting') <> (NEW.tries = OLD.tries + 1))
    OR (NEW.state <> 'submitting' AND NEW.tries <> OLD.tries)
    OR (NEW.state = 'submitting' AND OLD.state <> 'needed'))
EXECUTE FUNCTION refuse('a receipt keeps its content and is never sent twice at once');

CREATE FUNCTION receipts_are_of_paid_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.order_id = NEW.order_id AND o.status = 'paid') THEN
        RAISE EXCEPTION USING MESSAGE = 'a receipt is of a paid order', ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER receipts_are_of_paid_orders BEFORE UPDATE ON receipts FOR EACH ROW
EXECUTE FUNCTION receipts_are_of_paid_orders();

CREATE TRIGGER receipts_are_kept BEFORE DELETE OR TRUNCATE ON receipts
EXECUTE FUNCTION refuse('receipts are never deleted');

CREATE FUNCTION receipts_write_their_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO receipt_steps (order_id, step, at, state, by, payment_id, url, click_code, click_note, why, document)
    VALUES (NEW.order_id, NEW.step, NEW.changed_at, NEW.state, NEW.changed_by, NEW.payment_id, NEW.url, NEW.click_code,
        NEW.click_note, NEW.why, NEW.document);
    IF NEW.state = 'by_hand' THEN
        DELETE FROM open_returns WHERE order_id = NEW.order_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER receipts_write_their_steps AFTER UPDATE ON receipts FOR EACH ROW
EXECUTE FUNCTION receipts_write_their_steps();

CREATE FUNCTION refunds_open_a_return() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO open_returns (order_id)
    SELECT order_id FROM receipts WHERE order_id = NEW.order_id AND state <> 'by_hand'
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER refunds_open_a_return AFTER INSERT OR UPDATE OF state ON refunds FOR EACH ROW
WHEN (NEW.state IN ('done', 'done_by_hand'))
EXECUTE FUNCTION refunds_open_a_return();

CREATE TABLE telegram_payments (
    id                 BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    prepare_id         BIGINT UNIQUE REFERENCES attempts (prepare_id),
    order_id           BIGINT REFERENCES orders (order_id),
    payload            TEXT   NOT NULL,
    user_id            BIGINT NOT NULL CHECK (user_id > 0),
    amount_tiyin       BIGINT NOT NULL,
    currency           TEXT   NOT NULL,
    telegram_charge_id TEXT   NOT NULL CHECK (length(telegram_charge_id) BETWEEN 1 AND 200),
    provider_charge_id TEXT   NOT NULL CHECK (length(provider_charge_id) BETWEEN 1 AND 200),
    received_at        BIGINT NOT NULL,
    outcome            TEXT   NOT NULL CHECK (outcome IN ('paid', 'questioned', 'unplaced')),
    UNIQUE (order_id, telegram_charge_id),
    CHECK ((outcome = 'unplaced') = (order_id IS NULL)),
    CHECK ((outcome = 'unplaced') = (prepare_id IS NULL))
);

CREATE UNIQUE INDEX telegram_payments_pay_once ON telegram_payments (telegram_charge_id) WHERE outcome = 'paid';
CREATE UNIQUE INDEX telegram_payments_provider_pays_once ON telegram_payments (provider_charge_id) WHERE outcome = 'paid';
CREATE UNIQUE INDEX telegram_payments_unplaced_once ON telegram_payments (telegram_charge_id) WHERE outcome = 'unplaced';

CREATE FUNCTION telegram_payments_pay_their_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.order_id = NEW.order_id AND o.paid_by = NEW.prepare_id) THEN
        RAISE EXCEPTION USING MESSAGE = 'a payment in Telegram that paid an order is the one that the order names',
            ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER telegram_payments_pay_their_order BEFORE INSERT ON telegram_payments FOR EACH ROW
WHEN (NEW.outcome = 'paid')
EXECUTE FUNCTION telegram_payments_pay_their_order();

CREATE TRIGGER telegram_payments_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON telegram_payments
EXECUTE FUNCTION refuse('payments in Telegram are append-only');

CREATE TABLE phone_invoices (
    phone_invoice_id BIGINT PRIMARY KEY,
    order_id         BIGINT NOT NULL REFERENCES orders (order_id),
    phone            TEXT   NOT NULL CHECK (phone ~ '^998[0-9]{9}$'),
    amount_tiyin     BIGINT NOT NULL CHECK (amount_tiyin > 0),
    requested_at     BIGINT NOT NULL,
    state            TEXT   NOT NULL CHECK (state IN ('requested', 'sending', 'sent', 'unknown', 'refused', 'deleted', 'over')),
    invoice_id       BIGINT CHECK (invoice_id > 0),
    click_code       BIGINT,
    click_note       TEXT,
    changed_at       BIGINT NOT NULL,
    step             BIGINT NOT NULL CHECK (step >= 0),
    next_step_at     BIGINT,
    CHECK (state <> 'sent' OR invoice_id IS NOT NULL),
    CHECK ((state IN ('requested', 'sending', 'sent')) = (next_step_at IS NOT NULL))
);

CREATE UNIQUE INDEX phone_invoices_one_open ON phone_invoices (order_id)
    WHERE state IN ('requested', 'sending', 'sent', 'unknown');
CREATE INDEX phone_invoices_due ON phone_invoices (next_step_at) WHERE next_step_at IS NOT NULL;
CREATE INDEX phone_invoices_of_an_order ON phone_invoices (order_id);

CREATE VIEW phone_invoices_as_json AS
SELECT phone_invoice_id, order_id, next_step_at,
    json_build_object('phone_invoice_id', phone_invoice_id, 'order_id', order_id, 'phone', phone,
        'amount_tiyin', amount_tiyin, 'requested_at', requested_at, 'state', state, 'invoice_id', invoice_id,
        'click_code', click_code, 'click_note', click_note, 'changed_at', changed_at, 'step', step,
        'next_step_at', next_step_at)::text AS invoice
FROM phone_invoices;

CREATE TRIGGER phone_invoices_keep_what_was_agreed BEFORE UPDATE ON phone_invoices FOR EACH ROW
WHEN (NEW.phone_invoice_id IS DISTINCT FROM OLD.phone_invoice_id OR NEW.order_id IS DISTINCT FROM OLD.order_id
    OR NEW.phone IS DISTINCT FROM OLD.phone OR NEW.amount_tiyin IS DISTINCT FROM OLD.amount_tiyin
    OR NEW.requested_at IS DISTINCT FROM OLD.requested_at OR NEW.step <= OLD.step
    OR OLD.state IN ('refused', 'deleted', 'over') OR (NEW.state = 'sending' AND OLD.state <> 'requested')
    OR (NEW.state = 'requested' AND OLD.state <> 'requested'))
EXECUTE FUNCTION refuse('an invoice keeps what was agreed, is sent once, and one that is over stays over');

CREATE TRIGGER phone_invoices_are_kept BEFORE DELETE OR TRUNCATE ON phone_invoices
EXECUTE FUNCTION refuse('invoices are never deleted');
