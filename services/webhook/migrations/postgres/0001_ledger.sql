-- The ledger on PostgreSQL: the tables, columns and rules of the ledger on SQLite (../0001_ledger.sql and the rest), which says
-- what they are for. Times are milliseconds since 1970, money is integer tiyin, and what the program keeps as text is TEXT.

-- Refuses a change of a row; the trigger's argument says why. Whoever finds this class of error retries jobs one by one.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation';
END $$;

-- One row, which is also the lock: a transaction of a writer changes it first, so that one at a time decides and commits, over
-- all processes (docs/decisions/0012-postgresql-one-lock.md).
CREATE TABLE ledger_state (
    id                   BIGINT PRIMARY KEY CHECK (id = 1),
    probed_at            BIGINT NOT NULL,
    outbox_pruned_before BIGINT NOT NULL,
    clock_believed_at    BIGINT NOT NULL,
    -- How many transactions of writers there were: a writer that counts on from its own last one knows that nobody else wrote.
    commits              BIGINT NOT NULL,
    -- The oldest migration that a program must know to use this database (../README.md).
    schema_needed        BIGINT NOT NULL
) WITH (fillfactor = 10);

INSERT INTO ledger_state VALUES (1, 0, 0, 0, 0, 1);

CREATE TABLE orders (
    order_id       BIGINT PRIMARY KEY CHECK (order_id > 0),
    user_id        BIGINT NOT NULL CHECK (user_id > 0),
    products       TEXT   NOT NULL CHECK (products::json IS NOT NULL),
    amount_tiyin   BIGINT NOT NULL CHECK (amount_tiyin > 0),
    payment_method TEXT   NOT NULL CHECK (payment_method = 'click'),
    status         TEXT   NOT NULL CHECK (status IN ('pending', 'paid', 'expired')),
    created_at     BIGINT NOT NULL,
    changed_at     BIGINT NOT NULL,
    paid_by        BIGINT,
    traceparent    TEXT CHECK (length(traceparent) = 55),
    CHECK ((status = 'paid') = (paid_by IS NOT NULL))
);

CREATE INDEX orders_by_status ON orders (status, order_id);
CREATE INDEX orders_pending ON orders (created_at) WHERE status = 'pending';

CREATE TABLE attempts (
    prepare_id      BIGINT PRIMARY KEY CHECK (prepare_id BETWEEN 1 AND 9007199254740991),
    order_id        BIGINT NOT NULL REFERENCES orders (order_id),
    click_trans_id  BIGINT NOT NULL CHECK (click_trans_id > 0),
    click_paydoc_id BIGINT NOT NULL,
    amount_tiyin    BIGINT NOT NULL CHECK (amount_tiyin > 0),
    state           TEXT   NOT NULL CHECK (state IN ('prepared', 'paid', 'cancelled', 'given_up')),
    prepared_at     BIGINT NOT NULL,
    settled_at      BIGINT,
    paid_trans_id   BIGINT CHECK (paid_trans_id > 0),
    paid_paydoc_id  BIGINT,
    click_error     BIGINT CHECK (click_error < 0),
    paid_source     TEXT   NOT NULL DEFAULT 'callback' CHECK (paid_source IN ('callback', 'reconciliation')),
    UNIQUE (order_id, click_trans_id),
    CHECK ((state = 'prepared') = (settled_at IS NULL)),
    CHECK ((state = 'paid') = (paid_trans_id IS NOT NULL)),
    CHECK ((state = 'paid') = (paid_paydoc_id IS NOT NULL)),
    CHECK ((state = 'cancelled') = (click_error IS NOT NULL))
);

ALTER TABLE orders ADD FOREIGN KEY (paid_by) REFERENCES attempts (prepare_id);

CREATE UNIQUE INDEX attempts_pay_an_order_once ON attempts (order_id) WHERE state = 'paid';
CREATE UNIQUE INDEX attempts_transaction_pays_once ON attempts (paid_trans_id) WHERE state = 'paid';
CREATE INDEX attempts_given_up ON attempts (prepared_at) WHERE state = 'given_up';
CREATE INDEX attempts_paid_at ON attempts (settled_at) WHERE state = 'paid';

CREATE TRIGGER orders_keep_what_was_agreed BEFORE UPDATE ON orders FOR EACH ROW
WHEN (NEW.order_id IS DISTINCT FROM OLD.order_id OR NEW.user_id IS DISTINCT FROM OLD.user_id
    OR NEW.products IS DISTINCT FROM OLD.products OR NEW.amount_tiyin IS DISTINCT FROM OLD.amount_tiyin
    OR NEW.created_at IS DISTINCT FROM OLD.created_at
    OR (OLD.status = 'paid' AND (NEW.status <> 'paid' OR NEW.paid_by IS DISTINCT FROM OLD.paid_by))
    OR (OLD.status = 'expired' AND NEW.status = 'pending'))
EXECUTE FUNCTION refuse('an order keeps what was agreed, and a paid one stays paid');

CREATE TRIGGER orders_are_kept BEFORE DELETE OR TRUNCATE ON orders
EXECUTE FUNCTION refuse('orders are never deleted');

CREATE TRIGGER attempts_keep_what_was_agreed BEFORE UPDATE ON attempts FOR EACH ROW
WHEN (NEW.prepare_id IS DISTINCT FROM OLD.prepare_id OR NEW.order_id IS DISTINCT FROM OLD.order_id
    OR NEW.click_trans_id IS DISTINCT FROM OLD.click_trans_id OR NEW.click_paydoc_id IS DISTINCT FROM OLD.click_paydoc_id
    OR NEW.amount_tiyin IS DISTINCT FROM OLD.amount_tiyin OR NEW.prepared_at IS DISTINCT FROM OLD.prepared_at
    OR (OLD.state IN ('paid', 'cancelled') AND NEW.state <> OLD.state)
    OR (OLD.state = 'paid' AND NEW.paid_trans_id IS DISTINCT FROM OLD.paid_trans_id)
    OR (OLD.state = 'given_up' AND NEW.state = 'prepared'))
EXECUTE FUNCTION refuse('an attempt keeps what was agreed, and a settled one stays settled');

CREATE TRIGGER attempts_are_kept BEFORE DELETE OR TRUNCATE ON attempts
EXECUTE FUNCTION refuse('attempts are never deleted');

-- Rows get their ids while their transaction holds the lock, so that they grow with time.
CREATE TABLE callbacks (
    id          BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    received_at BIGINT  NOT NULL,
    peer        TEXT    NOT NULL,
    order_id    BIGINT,
    fields      TEXT    NOT NULL,
    code        BIGINT  NOT NULL CHECK (code BETWEEN -9 AND 0),
    answer      TEXT    NOT NULL,
    unplaced    BOOLEAN NOT NULL,
    source      TEXT    NOT NULL CHECK (source IN ('click', 'restore'))
);

CREATE INDEX callbacks_of_an_order ON callbacks (order_id, id) WHERE order_id IS NOT NULL;
CREATE INDEX callbacks_unplaced ON callbacks (id) WHERE unplaced;

CREATE TRIGGER callbacks_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON callbacks
EXECUTE FUNCTION refuse('callbacks are append-only');

CREATE TABLE unverified_callbacks (
    id          BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    received_at BIGINT NOT NULL,
    peer        TEXT   NOT NULL,
    fields      TEXT   NOT NULL,
    code        BIGINT NOT NULL CHECK (code BETWEEN -9 AND -1)
);

CREATE TABLE outbox (
    id          BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    -- Ranges of ids are asked for: they are compared byte by byte, whatever the database's language is.
    event_id    TEXT   COLLATE "C" NOT NULL UNIQUE,
    order_id    BIGINT REFERENCES orders (order_id),
    routing_key TEXT   NOT NULL,
    schema      TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    sent_at     BIGINT,
    refusals    BIGINT NOT NULL DEFAULT 0,
    retry_at    BIGINT NOT NULL DEFAULT 0,
    last_error  TEXT,
    traceparent TEXT CHECK (length(traceparent) = 55)
);

CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;
CREATE INDEX outbox_refused ON outbox (order_id, id) WHERE sent_at IS NULL AND refusals > 0;

CREATE TABLE restores (
    id               BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    restored_at      BIGINT NOT NULL,
    backup_made_at   BIGINT NOT NULL,
    prepare_id_floor BIGINT NOT NULL CHECK (prepare_id_floor BETWEEN 0 AND 9007199254740990),
    order_id_floor   BIGINT NOT NULL CHECK (order_id_floor BETWEEN 0 AND 9007199254740990)
);

CREATE TRIGGER restores_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON restores
EXECUTE FUNCTION refuse('restores are append-only');
