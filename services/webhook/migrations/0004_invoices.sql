-- The two further ways to pay through CLICK: Telegram's own invoice, and an invoice to a phone number. A program that does not
-- know these tables leaves them alone.

-- An attempt by Telegram's invoice is a row of `attempts` whose click_trans_id is 2^53 + prepare_id, which no transaction of
-- CLICK's is (docs/decisions/0011-telegrams-invoice-is-an-attempt.md). This is what Telegram said of its money. Append-only.
CREATE TABLE telegram_payments (
    id                 INTEGER PRIMARY KEY,
    -- Its attempt and order; NULL where the ledger has no such order.
    prepare_id         INTEGER UNIQUE REFERENCES attempts (prepare_id),
    order_id           INTEGER REFERENCES orders (order_id),
    payload            TEXT    NOT NULL,
    user_id            INTEGER NOT NULL CHECK (user_id > 0),
    amount_tiyin       INTEGER NOT NULL,
    currency           TEXT    NOT NULL,
    telegram_charge_id TEXT    NOT NULL CHECK (length(telegram_charge_id) BETWEEN 1 AND 200),
    provider_charge_id TEXT    NOT NULL CHECK (length(provider_charge_id) BETWEEN 1 AND 200),
    received_at        INTEGER NOT NULL,
    outcome            TEXT    NOT NULL CHECK (outcome IN ('paid', 'questioned', 'unplaced')),
    UNIQUE (order_id, telegram_charge_id),
    CHECK ((outcome = 'unplaced') = (order_id IS NULL)),
    CHECK ((outcome = 'unplaced') = (prepare_id IS NULL))
) STRICT;

-- A charge pays one order.
CREATE UNIQUE INDEX telegram_payments_pay_once ON telegram_payments (telegram_charge_id) WHERE outcome = 'paid';
CREATE UNIQUE INDEX telegram_payments_provider_pays_once ON telegram_payments (provider_charge_id) WHERE outcome = 'paid';
CREATE UNIQUE INDEX telegram_payments_unplaced_once ON telegram_payments (telegram_charge_id) WHERE outcome = 'unplaced';

CREATE TRIGGER telegram_payments_pay_their_order BEFORE INSERT ON telegram_payments
WHEN NEW.outcome = 'paid'
    AND NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.order_id = NEW.order_id AND o.paid_by = NEW.prepare_id)
BEGIN
    SELECT RAISE(ABORT, 'a payment in Telegram that paid an order is the one that the order names');
END;

CREATE TRIGGER telegram_payments_are_not_changed BEFORE UPDATE ON telegram_payments
BEGIN
    SELECT RAISE(ABORT, 'payments in Telegram are append-only');
END;

CREATE TRIGGER telegram_payments_are_kept BEFORE DELETE ON telegram_payments
BEGIN
    SELECT RAISE(ABORT, 'payments in Telegram are append-only');
END;

-- Invoices to a phone number, made by the reconciler through invoice/create. The payment itself comes by Prepare and Complete.
CREATE TABLE phone_invoices (
    phone_invoice_id INTEGER PRIMARY KEY,
    order_id         INTEGER NOT NULL REFERENCES orders (order_id),
    -- 998 and nine digits.
    phone            TEXT    NOT NULL CHECK (phone GLOB '998[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'),
    amount_tiyin     INTEGER NOT NULL CHECK (amount_tiyin > 0),
    requested_at     INTEGER NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('requested', 'sending', 'sent', 'unknown', 'refused', 'deleted', 'over')),
    -- CLICK's.
    invoice_id       INTEGER CHECK (invoice_id > 0),
    click_code       INTEGER,
    click_note       TEXT,
    changed_at       INTEGER NOT NULL,
    step             INTEGER NOT NULL CHECK (step >= 0),
    next_step_at     INTEGER,
    CHECK (state <> 'sent' OR invoice_id IS NOT NULL),
    CHECK ((state IN ('requested', 'sending', 'sent')) = (next_step_at IS NOT NULL))
) STRICT;

-- An invoice whose outcome is not known may be at the shopper's phone: no other one is made beside it.
CREATE UNIQUE INDEX phone_invoices_one_open ON phone_invoices (order_id)
    WHERE state IN ('requested', 'sending', 'sent', 'unknown');
CREATE INDEX phone_invoices_due ON phone_invoices (next_step_at) WHERE next_step_at IS NOT NULL;
CREATE INDEX phone_invoices_of_an_order ON phone_invoices (order_id);

-- Each invoice as one text, in which it crosses to the program.
CREATE VIEW phone_invoices_as_json AS
SELECT phone_invoice_id, order_id, next_step_at,
    json_object('phone_invoice_id', phone_invoice_id, 'order_id', order_id, 'phone', phone, 'amount_tiyin', amount_tiyin,
        'requested_at', requested_at, 'state', state, 'invoice_id', invoice_id, 'click_code', click_code,
        'click_note', click_note, 'changed_at', changed_at, 'step', step, 'next_step_at', next_step_at) AS invoice
FROM phone_invoices;

CREATE TRIGGER phone_invoices_keep_what_was_agreed BEFORE UPDATE ON phone_invoices
WHEN NEW.phone_invoice_id IS NOT OLD.phone_invoice_id OR NEW.order_id IS NOT OLD.order_id OR NEW.phone IS NOT OLD.phone
    OR NEW.amount_tiyin IS NOT OLD.amount_tiyin OR NEW.requested_at IS NOT OLD.requested_at OR NEW.step <= OLD.step
    OR OLD.state IN ('refused', 'deleted', 'over') OR (NEW.state = 'sending' AND OLD.state <> 'requested')
    OR (NEW.state = 'requested' AND OLD.state <> 'requested')
BEGIN
    SELECT RAISE(ABORT, 'an invoice keeps what was agreed, is sent once, and one that is over stays over');
END;

CREATE TRIGGER phone_invoices_are_kept BEFORE DELETE ON phone_invoices
BEGIN
    SELECT RAISE(ABORT, 'invoices are never deleted');
END;
