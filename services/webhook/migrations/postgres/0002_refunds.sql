-- What CLICK's Merchant API is used for (../0002_merchant_api.sql), and what becomes known otherwise than by a callback
-- (../0005_reconciliation.sql).

CREATE TABLE attempt_checks (
    prepare_id BIGINT PRIMARY KEY REFERENCES attempts (prepare_id),
    times      BIGINT NOT NULL CHECK (times >= 0),
    checked_at BIGINT NOT NULL,
    payment_id BIGINT CHECK (payment_id > 0),
    status     BIGINT,
    CHECK ((payment_id IS NULL) = (status IS NULL))
);

CREATE TABLE refunds (
    refund_id    BIGINT PRIMARY KEY CHECK (refund_id > 0),
    order_id     BIGINT NOT NULL REFERENCES orders (order_id),
    prepare_id   BIGINT NOT NULL REFERENCES attempts (prepare_id),
    request_id   TEXT   NOT NULL CHECK (length(request_id) BETWEEN 1 AND 64),
    amount_tiyin BIGINT NOT NULL CHECK (amount_tiyin > 0),
    returned     TEXT   NOT NULL CHECK (returned::json IS NOT NULL),
    requested_by TEXT   NOT NULL,
    reason       TEXT   NOT NULL,
    requested_at BIGINT NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('requested', 'checked', 'sending', 'unknown', 'refused', 'manual', 'done',
                                                  'done_by_hand', 'withdrawn')),
    payment_id   BIGINT CHECK (payment_id > 0),
    click_code   BIGINT,
    click_note   TEXT,
    why          TEXT,
    decided_by   TEXT,
    document     TEXT,
    changed_at   BIGINT NOT NULL,
    step         BIGINT NOT NULL CHECK (step >= 0),
    tries        BIGINT NOT NULL CHECK (tries >= 0),
    next_step_at BIGINT,
    UNIQUE (order_id, request_id),
    CHECK (state NOT IN ('checked', 'sending', 'unknown', 'refused', 'done') OR payment_id IS NOT NULL),
    CHECK (state NOT IN ('sending', 'unknown', 'refused') OR tries > 0),
    CHECK (state <> 'refused' OR click_code IS NOT NULL),
    CHECK ((state = 'manual') = (why IS NOT NULL)),
    CHECK ((state IN ('done_by_hand', 'withdrawn')) = (decided_by IS NOT NULL)),
    CHECK ((state = 'done_by_hand') = (document IS NOT NULL))
);

CREATE UNIQUE INDEX refunds_one_open ON refunds (order_id) WHERE state NOT IN ('done', 'done_by_hand', 'withdrawn');
CREATE INDEX refunds_open ON refunds (refund_id) WHERE state NOT IN ('done', 'done_by_hand', 'withdrawn');
CREATE INDEX refunds_given_back ON refunds (order_id) WHERE state IN ('done', 'done_by_hand');

CREATE VIEW refunds_as_json AS
SELECT refund_id, order_id, prepare_id, state,
    json_build_object('refund_id', refund_id, 'order_id', order_id, 'prepare_id', prepare_id, 'request_id', request_id,
        'amount_tiyin', amount_tiyin, 'returned', returned::json, 'requested_by', requested_by, 'reason', reason,
        'requested_at', requested_at, 'state', state, 'payment_id', payment_id, 'click_code', click_code,
        'click_note', click_note, 'why', why, 'decided_by', decided_by, 'document', document,
        'changed_at', changed_at, 'step', step, 'tries', tries, 'next_step_at', next_step_at)::text AS refund
FROM refunds;

-- Also when the row is there already: PostgreSQL runs it before it finds the conflict that makes an update of it.
CREATE FUNCTION refunds_give_back_what_was_paid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.order_id = NEW.order_id AND o.paid_by = NEW.prepare_id)
        OR NEW.amount_tiyin + (SELECT coalesce(sum(r.amount_tiyin), 0) FROM refunds AS r
             WHERE r.order_id = NEW.order_id AND r.refund_id <> NEW.refund_id AND r.state <> 'withdrawn')
           > (SELECT a.amount_tiyin FROM attempts AS a WHERE a.prepare_id = NEW.prepare_id)
    THEN
        RAISE EXCEPTION USING MESSAGE = 'refunds of an order never exceed what was paid for it',
            ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER refunds_give_back_what_was_paid BEFORE INSERT ON refunds FOR EACH ROW
EXECUTE FUNCTION refunds_give_back_what_was_paid();

CREATE TRIGGER refunds_keep_what_was_agreed BEFORE UPDATE ON refunds FOR EACH ROW
WHEN (NEW.refund_id IS DISTINCT FROM OLD.refund_id OR NEW.order_id IS DISTINCT FROM OLD.order_id
    OR NEW.prepare_id IS DISTINCT FROM OLD.prepare_id OR NEW.request_id IS DISTINCT FROM OLD.request_id
    OR NEW.amount_tiyin IS DISTINCT FROM OLD.amount_tiyin OR NEW.returned IS DISTINCT FROM OLD.returned
    OR NEW.requested_by IS DISTINCT FROM OLD.requested_by OR NEW.reason IS DISTINCT FROM OLD.reason
    OR NEW.requested_at IS DISTINCT FROM OLD.requested_at OR NEW.step <= OLD.step OR NEW.tries < OLD.tries
    OR OLD.state IN ('done', 'done_by_hand', 'withdrawn')
    OR (NEW.state = 'sending' AND OLD.state <> 'checked'))
EXECUTE FUNCTION refuse('a refund keeps what was agreed, and one that is over stays over');

CREATE TRIGGER refunds_are_kept BEFORE DELETE OR TRUNCATE ON refunds
EXECUTE FUNCTION refuse('refunds are never deleted');

CREATE TABLE refund_steps (
    refund_id  BIGINT NOT NULL REFERENCES refunds (refund_id),
    step       BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    state      TEXT   NOT NULL,
    by         TEXT   NOT NULL,
    payment_id BIGINT,
    click_code BIGINT,
    click_note TEXT,
    why        TEXT,
    document   TEXT,
    PRIMARY KEY (refund_id, step)
);

CREATE TRIGGER refund_steps_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON refund_steps
EXECUTE FUNCTION refuse('refund steps are append-only');

CREATE TABLE merchant_api_calls (
    id       BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    at       BIGINT NOT NULL,
    order_id BIGINT,
    method   TEXT   NOT NULL,
    path     TEXT   NOT NULL,
    outcome  TEXT   NOT NULL CHECK (outcome IN ('done', 'not_found', 'refused', 'setup', 'unknown')),
    code     BIGINT,
    note     TEXT   NOT NULL
);

CREATE INDEX merchant_api_calls_of_an_order ON merchant_api_calls (order_id, id) WHERE order_id IS NOT NULL;

CREATE TRIGGER merchant_api_calls_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON merchant_api_calls
EXECUTE FUNCTION refuse('calls of the Merchant API are append-only');

CREATE TABLE payment_reports (
    prepare_id BIGINT PRIMARY KEY REFERENCES attempts (prepare_id),
    at         BIGINT NOT NULL,
    source     TEXT   NOT NULL CHECK (source IN ('status', 'restore', 'statement', 'owner')),
    by         TEXT   NOT NULL,
    payment_id BIGINT NOT NULL CHECK (payment_id > 0)
);

CREATE TRIGGER payment_reports_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_reports
EXECUTE FUNCTION refuse('payment reports are append-only');

CREATE TABLE compared_days (
    day         TEXT   COLLATE "C" PRIMARY KEY CHECK (day LIKE '____-__-__'),
    compared_at BIGINT NOT NULL,
    click       TEXT CHECK (click IS NULL OR click::json IS NOT NULL)
);

CREATE TABLE restore_checks (
    restore_id BIGINT PRIMARY KEY REFERENCES restores (id),
    checked_at BIGINT NOT NULL
);
