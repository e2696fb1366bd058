-- What CLICK's Merchant API is used for: refunds, and attempts of which CLICK has said nothing since its Prepare. The rules
-- of shared/domain/src/refund are enforced here once more. A program that does not know these tables leaves them alone.

-- Which word of CLICK's made the attempt paid. 'callback' stands for rows that a restore took back as well.
ALTER TABLE attempts ADD COLUMN paid_source TEXT NOT NULL DEFAULT 'callback'
    CHECK (paid_source IN ('callback', 'reconciliation'));

-- Attempts of expired orders that CLICK is still asked about.
CREATE INDEX attempts_given_up ON attempts (prepared_at) WHERE state = 'given_up';

-- How often CLICK was asked about a silent attempt, and what it said last.
CREATE TABLE attempt_checks (
    prepare_id INTEGER PRIMARY KEY REFERENCES attempts (prepare_id),
    times      INTEGER NOT NULL CHECK (times >= 0),
    checked_at INTEGER NOT NULL,
    -- NULL: CLICK named no payment.
    payment_id INTEGER CHECK (payment_id > 0),
    status     INTEGER,
    CHECK ((payment_id IS NULL) = (status IS NULL))
) STRICT;

CREATE TABLE refunds (
    refund_id    INTEGER PRIMARY KEY CHECK (refund_id > 0),
    order_id     INTEGER NOT NULL REFERENCES orders (order_id),
    prepare_id   INTEGER NOT NULL REFERENCES attempts (prepare_id),
    request_id   TEXT    NOT NULL CHECK (length(request_id) BETWEEN 1 AND 64),
    amount_tiyin INTEGER NOT NULL CHECK (amount_tiyin > 0),
    -- What goes back to stock when the money is back.
    returned     TEXT    NOT NULL CHECK (json_valid(returned)),
    requested_by TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    requested_at INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('requested', 'checked', 'sending', 'unknown', 'refused', 'manual',
                                                   'done', 'done_by_hand', 'withdrawn')),
    -- Facts of the state.
    payment_id   INTEGER CHECK (payment_id > 0),
    click_code   INTEGER,
    click_note   TEXT,
    why          TEXT,
    decided_by   TEXT,
    document     TEXT,
    changed_at   INTEGER NOT NULL,
    step         INTEGER NOT NULL CHECK (step >= 0),
    tries        INTEGER NOT NULL CHECK (tries >= 0),
    next_step_at INTEGER,
    UNIQUE (order_id, request_id),
    CHECK (state NOT IN ('checked', 'sending', 'unknown', 'refused', 'done') OR payment_id IS NOT NULL),
    CHECK (state NOT IN ('sending', 'unknown', 'refused') OR tries > 0),
    CHECK (state <> 'refused' OR click_code IS NOT NULL),
    CHECK ((state = 'manual') = (why IS NOT NULL)),
    CHECK ((state IN ('done_by_hand', 'withdrawn')) = (decided_by IS NOT NULL)),
    CHECK ((state = 'done_by_hand') = (document IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX refunds_one_open ON refunds (order_id) WHERE state NOT IN ('done', 'done_by_hand', 'withdrawn');
CREATE INDEX refunds_open ON refunds (refund_id) WHERE state NOT IN ('done', 'done_by_hand', 'withdrawn');

-- Each refund as one text, in which it crosses to the program.
CREATE VIEW refunds_as_json AS
SELECT refund_id, order_id, prepare_id, state,
    json_object('refund_id', refund_id, 'order_id', order_id, 'prepare_id', prepare_id, 'request_id', request_id,
        'amount_tiyin', amount_tiyin, 'returned', json(returned), 'requested_by', requested_by, 'reason', reason,
        'requested_at', requested_at, 'state', state, 'payment_id', payment_id, 'click_code', click_code,
        'click_note', click_note, 'why', why, 'decided_by', decided_by, 'document', document,
        'changed_at', changed_at, 'step', step, 'tries', tries, 'next_step_at', next_step_at) AS refund
FROM refunds;

-- Also when the row is there already: SQLite runs it before it finds the conflict that makes an update of it.
CREATE TRIGGER refunds_give_back_what_was_paid BEFORE INSERT ON refunds
WHEN NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.order_id = NEW.order_id AND o.paid_by = NEW.prepare_id)
    OR NEW.amount_tiyin + (SELECT coalesce(sum(r.amount_tiyin), 0) FROM refunds AS r
         WHERE r.order_id = NEW.order_id AND r.refund_id <> NEW.refund_id AND r.state <> 'withdrawn')
       > (SELECT a.amount_tiyin FROM attempts AS a WHERE a.prepare_id = NEW.prepare_id)
BEGIN
    SELECT RAISE(ABORT, 'refunds of an order never exceed what was paid for it');
END;

CREATE TRIGGER refunds_keep_what_was_agreed BEFORE UPDATE ON refunds
WHEN NEW.refund_id IS NOT OLD.refund_id OR NEW.order_id IS NOT OLD.order_id OR NEW.prepare_id IS NOT OLD.prepare_id
    OR NEW.request_id IS NOT OLD.request_id OR NEW.amount_tiyin IS NOT OLD.amount_tiyin
    OR NEW.returned IS NOT OLD.returned OR NEW.requested_by IS NOT OLD.requested_by OR NEW.reason IS NOT OLD.reason
    OR NEW.requested_at IS NOT OLD.requested_at OR NEW.step <= OLD.step OR NEW.tries < OLD.tries
    OR OLD.state IN ('done', 'done_by_hand', 'withdrawn')
    OR (NEW.state = 'sending' AND OLD.state <> 'checked')
BEGIN
    SELECT RAISE(ABORT, 'a refund keeps what was agreed, and one that is over stays over');
END;

CREATE TRIGGER refunds_are_kept BEFORE DELETE ON refunds
BEGIN
    SELECT RAISE(ABORT, 'refunds are never deleted');
END;

-- How each refund came to its state. Append-only.
CREATE TABLE refund_steps (
    refund_id  INTEGER NOT NULL REFERENCES refunds (refund_id),
    step       INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    -- A person, or 'reconciler'.
    by         TEXT    NOT NULL,
    payment_id INTEGER,
    click_code INTEGER,
    click_note TEXT,
    why        TEXT,
    document   TEXT,
    PRIMARY KEY (refund_id, step)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER refund_steps_are_not_changed BEFORE UPDATE ON refund_steps
BEGIN
    SELECT RAISE(ABORT, 'refund steps are append-only');
END;

CREATE TRIGGER refund_steps_are_kept BEFORE DELETE ON refund_steps
BEGIN
    SELECT RAISE(ABORT, 'refund steps are append-only');
END;

-- Every call of the Merchant API. Append-only; without the Auth header.
CREATE TABLE merchant_api_calls (
    id       INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    order_id INTEGER,
    method   TEXT    NOT NULL,
    path     TEXT    NOT NULL,
    outcome  TEXT    NOT NULL CHECK (outcome IN ('done', 'not_found', 'refused', 'setup', 'unknown')),
    code     INTEGER,
    note     TEXT    NOT NULL
) STRICT;

CREATE INDEX merchant_api_calls_of_an_order ON merchant_api_calls (order_id) WHERE order_id IS NOT NULL;

CREATE TRIGGER merchant_api_calls_are_not_changed BEFORE UPDATE ON merchant_api_calls
BEGIN
    SELECT RAISE(ABORT, 'calls of the Merchant API are append-only');
END;

CREATE TRIGGER merchant_api_calls_are_kept BEFORE DELETE ON merchant_api_calls
BEGIN
    SELECT RAISE(ABORT, 'calls of the Merchant API are append-only');
END;
