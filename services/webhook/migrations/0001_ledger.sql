-- The ledger: what was agreed, what CLICK said, what was answered. The rules of the state machine
-- (shared/domain/src/payment.rs) are enforced here once more, so that no bug can write an impossible state.
-- Money is integer tiyin, times are milliseconds since 1970.

-- The oldest migration that a program must know to use this file (README.md).
PRAGMA user_version = 1;

CREATE TABLE orders (
    order_id       INTEGER PRIMARY KEY CHECK (order_id > 0),
    user_id        INTEGER NOT NULL CHECK (user_id > 0),
    products       TEXT    NOT NULL CHECK (json_valid(products)),
    amount_tiyin   INTEGER NOT NULL CHECK (amount_tiyin > 0),
    payment_method TEXT    NOT NULL CHECK (payment_method = 'click'),
    status         TEXT    NOT NULL CHECK (status IN ('pending', 'paid', 'expired')),
    created_at     INTEGER NOT NULL,
    changed_at     INTEGER NOT NULL,
    paid_by        INTEGER REFERENCES attempts (prepare_id),
    CHECK ((status = 'paid') = (paid_by IS NOT NULL))
) STRICT;

CREATE INDEX orders_by_status ON orders (status, order_id);
CREATE INDEX orders_pending ON orders (created_at) WHERE status = 'pending';

-- One row a Prepare.
CREATE TABLE attempts (
    -- merchant_prepare_id: below 2^53, because CLICK's browser tester reads it as a JavaScript number.
    prepare_id      INTEGER PRIMARY KEY CHECK (prepare_id BETWEEN 1 AND 9007199254740991),
    order_id        INTEGER NOT NULL REFERENCES orders (order_id),
    click_trans_id  INTEGER NOT NULL CHECK (click_trans_id > 0),
    click_paydoc_id INTEGER NOT NULL,
    amount_tiyin    INTEGER NOT NULL CHECK (amount_tiyin > 0),
    state           TEXT    NOT NULL CHECK (state IN ('prepared', 'paid', 'cancelled', 'given_up')),
    prepared_at     INTEGER NOT NULL,
    settled_at      INTEGER,
    -- Of the Complete that was accepted; they may differ from the Prepare's.
    paid_trans_id   INTEGER CHECK (paid_trans_id > 0),
    paid_paydoc_id  INTEGER,
    click_error     INTEGER CHECK (click_error < 0),
    UNIQUE (order_id, click_trans_id),
    CHECK ((state = 'prepared') = (settled_at IS NULL)),
    CHECK ((state = 'paid') = (paid_trans_id IS NOT NULL)),
    CHECK ((state = 'paid') = (paid_paydoc_id IS NOT NULL)),
    CHECK ((state = 'cancelled') = (click_error IS NOT NULL))
) STRICT;

-- An order is paid by one attempt, and a CLICK transaction pays one order.
CREATE UNIQUE INDEX attempts_pay_an_order_once ON attempts (order_id) WHERE state = 'paid';
CREATE UNIQUE INDEX attempts_transaction_pays_once ON attempts (paid_trans_id) WHERE state = 'paid';

CREATE TRIGGER orders_keep_what_was_agreed BEFORE UPDATE ON orders
WHEN NEW.order_id IS NOT OLD.order_id OR NEW.user_id IS NOT OLD.user_id OR NEW.products IS NOT OLD.products
    OR NEW.amount_tiyin IS NOT OLD.amount_tiyin OR NEW.created_at IS NOT OLD.created_at
    OR (OLD.status = 'paid' AND (NEW.status <> 'paid' OR NEW.paid_by IS NOT OLD.paid_by))
    OR (OLD.status = 'expired' AND NEW.status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'an order keeps what was agreed, and a paid one stays paid');
END;

CREATE TRIGGER orders_are_kept BEFORE DELETE ON orders
BEGIN
    SELECT RAISE(ABORT, 'orders are never deleted');
END;

CREATE TRIGGER attempts_keep_what_was_agreed BEFORE UPDATE ON attempts
WHEN NEW.prepare_id IS NOT OLD.prepare_id OR NEW.order_id IS NOT OLD.order_id
    OR NEW.click_trans_id IS NOT OLD.click_trans_id OR NEW.click_paydoc_id IS NOT OLD.click_paydoc_id
    OR NEW.amount_tiyin IS NOT OLD.amount_tiyin OR NEW.prepared_at IS NOT OLD.prepared_at
    OR (OLD.state IN ('paid', 'cancelled') AND NEW.state <> OLD.state)
    OR (OLD.state = 'paid' AND NEW.paid_trans_id IS NOT OLD.paid_trans_id)
    OR (OLD.state = 'given_up' AND NEW.state = 'prepared')
BEGIN
    SELECT RAISE(ABORT, 'an attempt keeps what was agreed, and a settled one stays settled');
END;

CREATE TRIGGER attempts_are_kept BEFORE DELETE ON attempts
BEGIN
    SELECT RAISE(ABORT, 'attempts are never deleted');
END;

-- Every callback with a valid signature, and its answer. Append-only.
CREATE TABLE callbacks (
    id          INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    peer        TEXT    NOT NULL,
    -- The order that it names, whether it exists or not.
    order_id    INTEGER,
    -- The fields as received, without sign_string, and the answer: JSON both. Card numbers are hidden.
    fields      TEXT    NOT NULL,
    -- The `error` that was answered.
    code        INTEGER NOT NULL CHECK (code BETWEEN -9 AND 0),
    answer      TEXT    NOT NULL,
    -- 1: CLICK says that it has taken the money, and we did not answer that the order is paid.
    unplaced    INTEGER NOT NULL CHECK (unplaced IN (0, 1)),
    -- restore: no callback, but a payment that a restore has taken back from another store.
    source      TEXT    NOT NULL CHECK (source IN ('click', 'restore'))
) STRICT;

CREATE INDEX callbacks_of_an_order ON callbacks (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX callbacks_unplaced ON callbacks (id) WHERE unplaced = 1;

-- What came to CLICK's address without a valid signature: a sample within a budget, deleted after some days.
CREATE TABLE unverified_callbacks (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at INTEGER NOT NULL,
    peer        TEXT    NOT NULL,
    fields      TEXT    NOT NULL,
    code        INTEGER NOT NULL CHECK (code BETWEEN -9 AND -1)
) STRICT;

CREATE TRIGGER callbacks_are_not_changed BEFORE UPDATE ON callbacks
BEGIN
    SELECT RAISE(ABORT, 'callbacks are append-only');
END;

CREATE TRIGGER callbacks_are_kept BEFORE DELETE ON callbacks
BEGIN
    SELECT RAISE(ABORT, 'callbacks are append-only');
END;

-- Events on their way to the bus, written in the transaction of the state that they are about.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id    TEXT    NOT NULL UNIQUE,
    -- NULL: the event is about a payment that belongs to no order.
    order_id    INTEGER REFERENCES orders (order_id),
    routing_key TEXT    NOT NULL,
    schema      TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    sent_at     INTEGER,
    -- Of a row that the bus refused for a reason of its own.
    refusals    INTEGER NOT NULL DEFAULT 0,
    retry_at    INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT
) STRICT;

CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;
CREATE INDEX outbox_refused ON outbox (order_id, id) WHERE sent_at IS NULL AND refusals > 0;

-- Every restore of this ledger from a backup. Numbers up to the floors may have been given to CLICK (merchant_prepare_id)
-- and to orders after the backup was made, by the ledger that was lost: they are never given again.
CREATE TABLE restores (
    id               INTEGER PRIMARY KEY,
    restored_at      INTEGER NOT NULL,
    backup_made_at   INTEGER NOT NULL,
    prepare_id_floor INTEGER NOT NULL CHECK (prepare_id_floor BETWEEN 0 AND 9007199254740990),
    order_id_floor   INTEGER NOT NULL CHECK (order_id_floor BETWEEN 0 AND 9007199254740990)
) STRICT;

CREATE TRIGGER restores_are_not_changed BEFORE UPDATE ON restores
BEGIN
    SELECT RAISE(ABORT, 'restores are append-only');
END;

CREATE TRIGGER restores_are_kept BEFORE DELETE ON restores
BEGIN
    SELECT RAISE(ABORT, 'restores are append-only');
END;

-- One row.
CREATE TABLE ledger_state (
    id                   INTEGER PRIMARY KEY CHECK (id = 1),
    -- Written to find out whether the ledger can be written again after a commit has failed.
    probed_at            INTEGER NOT NULL,
    -- Events that were sent before this are deleted; a payment that is younger has its event.
    outbox_pruned_before INTEGER NOT NULL,
    -- When the clock was last believed, every few minutes. 0: never. A service that starts by a wrong clock sees it by this.
    clock_believed_at    INTEGER NOT NULL
) STRICT;

INSERT INTO ledger_state VALUES (1, 0, 0, 0);
