-- Fiscal receipts: what is sold is kept with the order and never changes; what became of its receipt is a state with
-- append-only steps. The rules of shared/domain/src/order/receipt are enforced here once more. A program that does not know these
-- tables leaves them alone.

CREATE TABLE receipts (
    order_id     INTEGER PRIMARY KEY REFERENCES orders (order_id),
    content      TEXT    NOT NULL CHECK (json_valid(content)),
    -- 'agreed': the order is not paid, so that nothing is to be done.
    state        TEXT    NOT NULL CHECK (state IN ('agreed', 'needed', 'submitting', 'unknown', 'submitted', 'known',
                                                   'missing', 'by_hand')),
    -- Facts of the state.
    payment_id   INTEGER CHECK (payment_id > 0),
    url          TEXT,
    click_code   INTEGER,
    click_note   TEXT,
    why          TEXT,
    decided_by   TEXT,
    document     TEXT,
    -- SHA-256 of the body that was sent.
    body_hash    TEXT CHECK (length(body_hash) = 64),
    since        INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL,
    -- A person, 'reconciler' or 'ledger'.
    changed_by   TEXT    NOT NULL,
    step         INTEGER NOT NULL CHECK (step >= 0),
    tries        INTEGER NOT NULL CHECK (tries >= 0),
    next_step_at INTEGER,
    CHECK (state NOT IN ('submitting', 'unknown', 'submitted', 'known') OR payment_id IS NOT NULL),
    CHECK (state NOT IN ('submitting', 'unknown', 'submitted') OR (tries > 0 AND body_hash IS NOT NULL)),
    CHECK ((state = 'known') = (url IS NOT NULL)),
    CHECK ((state = 'missing') = (why IS NOT NULL)),
    CHECK ((state = 'by_hand') = (decided_by IS NOT NULL)),
    CHECK ((state = 'by_hand') = (document IS NOT NULL)),
    CHECK ((tries > 0) = (body_hash IS NOT NULL))
) STRICT;

CREATE INDEX receipts_due ON receipts (next_step_at) WHERE next_step_at IS NOT NULL;
CREATE INDEX receipts_missing ON receipts (order_id) WHERE state = 'missing';
CREATE INDEX refunds_given_back ON refunds (order_id) WHERE state IN ('done', 'done_by_hand');

-- Orders of which a receipt waits for a person: a sale's own, or that of a refund of a sale that has one.
CREATE VIEW missing_receipts AS
  SELECT order_id FROM receipts WHERE state = 'missing'
  UNION ALL
  SELECT f.order_id FROM refunds AS f CROSS JOIN receipts AS s ON s.order_id = f.order_id
    WHERE f.state IN ('done', 'done_by_hand') AND s.state IN ('known', 'submitted');

-- Each receipt as one text, in which it crosses to the program.
CREATE VIEW receipts_as_json AS
SELECT r.order_id, r.state, r.next_step_at,
    json_object('order_id', r.order_id, 'amount_tiyin', o.amount_tiyin, 'content', json(r.content), 'state', r.state,
        'payment_id', r.payment_id, 'url', r.url, 'click_code', r.click_code, 'click_note', r.click_note, 'why', r.why,
        'decided_by', r.decided_by, 'document', r.document, 'body_hash', r.body_hash, 'since', r.since,
        'changed_at', r.changed_at, 'step', r.step, 'tries', r.tries, 'next_step_at', r.next_step_at) AS receipt
FROM receipts AS r CROSS JOIN orders AS o ON o.order_id = r.order_id;

-- In the transaction that pays the order, whatever word of CLICK's paid it.
CREATE TRIGGER receipts_are_needed_once_paid AFTER UPDATE OF status ON orders
WHEN NEW.status = 'paid' AND OLD.status <> 'paid'
BEGIN
    UPDATE receipts SET state = 'needed', since = NEW.changed_at, changed_at = NEW.changed_at, changed_by = 'ledger',
        step = step + 1, next_step_at = NEW.changed_at
    WHERE order_id = NEW.order_id AND state = 'agreed';
END;

CREATE TRIGGER receipts_begin_as_agreed BEFORE INSERT ON receipts
WHEN NEW.state <> 'agreed' OR NEW.step <> 0 OR NEW.tries <> 0
BEGIN
    SELECT RAISE(ABORT, 'a receipt begins with its order');
END;

CREATE TRIGGER receipts_keep_what_was_agreed BEFORE UPDATE ON receipts
WHEN NEW.order_id IS NOT OLD.order_id OR NEW.content IS NOT OLD.content OR NEW.step <> OLD.step + 1
    OR (OLD.body_hash IS NOT NULL AND NEW.body_hash IS NOT OLD.body_hash)
    OR NEW.state = 'agreed' OR OLD.state = 'by_hand'
    OR (OLD.state = 'known' AND NEW.state <> 'by_hand')
    OR ((NEW.state = 'submitting') <> (NEW.tries = OLD.tries + 1))
    OR (NEW.state <> 'submitting' AND NEW.tries <> OLD.tries)
    OR (NEW.state = 'submitting' AND OLD.state <> 'needed')
    OR NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.order_id = NEW.order_id AND o.status = 'paid')
BEGIN
    SELECT RAISE(ABORT, 'a receipt is of a paid order, keeps its content and is never sent twice at once');
END;

CREATE TRIGGER receipts_are_kept BEFORE DELETE ON receipts
BEGIN
    SELECT RAISE(ABORT, 'receipts are never deleted');
END;

-- How each receipt came to its state. Append-only; the triggers write it.
CREATE TABLE receipt_steps (
    order_id   INTEGER NOT NULL REFERENCES receipts (order_id),
    step       INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    by         TEXT    NOT NULL,
    payment_id INTEGER,
    url        TEXT,
    click_code INTEGER,
    click_note TEXT,
    why        TEXT,
    document   TEXT,
    PRIMARY KEY (order_id, step)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER receipts_write_their_steps AFTER UPDATE ON receipts
BEGIN
    INSERT INTO receipt_steps (order_id, step, at, state, by, payment_id, url, click_code, click_note, why, document)
    VALUES (NEW.order_id, NEW.step, NEW.changed_at, NEW.state, NEW.changed_by, NEW.payment_id, NEW.url, NEW.click_code,
        NEW.click_note, NEW.why, NEW.document);
END;

CREATE TRIGGER receipt_steps_are_not_changed BEFORE UPDATE ON receipt_steps
BEGIN
    SELECT RAISE(ABORT, 'receipt steps are append-only');
END;

CREATE TRIGGER receipt_steps_are_kept BEFORE DELETE ON receipt_steps
BEGIN
    SELECT RAISE(ABORT, 'receipt steps are append-only');
END;
