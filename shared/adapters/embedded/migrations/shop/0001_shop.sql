CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL CHECK (value >= 0)
) STRICT, WITHOUT ROWID;

-- The first order is number 1001.
INSERT INTO counters (name, value) VALUES ('orders', 1000);

-- The id is the shopper's Telegram id.
CREATE TABLE users (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    phone TEXT,
    language TEXT CHECK (language IN ('uz', 'ru', 'en')),
    -- How many of the orders are paid.
    order_count INTEGER NOT NULL DEFAULT 0 CHECK (order_count BETWEEN 0 AND 4294967295)
) STRICT;

-- seq keeps the order in which lines came into the cart.
CREATE TABLE cart_lines (
    seq INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    product_id INTEGER NOT NULL CHECK (product_id > 0),
    count INTEGER NOT NULL CHECK (count BETWEEN 1 AND 4294967295),
    UNIQUE (user_id, product_id)
) STRICT;

CREATE TABLE orders (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    user_id INTEGER NOT NULL REFERENCES users (id),
    total_tiyin INTEGER NOT NULL CHECK (total_tiyin >= 0),
    status TEXT NOT NULL CHECK (status IN ('pending', 'paid', 'expired')),
    created_at_ms INTEGER NOT NULL,
    click_trans_id INTEGER CHECK (click_trans_id > 0),
    click_paydoc_id INTEGER CHECK (click_paydoc_id > 0),
    paid_at_ms INTEGER,
    late INTEGER CHECK (late IN (0, 1)),
    CHECK ((status = 'paid') = (click_trans_id IS NOT NULL)),
    CHECK ((status = 'paid') = (click_paydoc_id IS NOT NULL)),
    CHECK ((status = 'paid') = (paid_at_ms IS NOT NULL)),
    CHECK ((status = 'paid') = (late IS NOT NULL))
) STRICT;

CREATE INDEX orders_of_user ON orders (user_id, created_at_ms DESC, id DESC);

-- The title is empty and the price NULL where an order was made from an event and nobody knows them any more.
CREATE TABLE order_lines (
    order_id INTEGER NOT NULL REFERENCES orders (id),
    position INTEGER NOT NULL CHECK (position >= 0),
    product_id INTEGER NOT NULL CHECK (product_id > 0),
    count INTEGER NOT NULL CHECK (count BETWEEN 1 AND 4294967295),
    title TEXT NOT NULL,
    price_tiyin INTEGER CHECK (price_tiyin >= 0),
    PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID;

-- The event's id is what makes its repetition known.
CREATE TABLE order_history (
    event_id TEXT PRIMARY KEY,
    order_id INTEGER NOT NULL REFERENCES orders (id),
    what TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX order_history_of_order ON order_history (order_id, at_ms);

-- attempts counts claims that were not given back. A claim is held until lease_until_ms; NULL is held by nobody.
CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    lease_until_ms INTEGER,
    settled_at_ms INTEGER,
    message_id INTEGER,
    undeliverable_reason TEXT,
    -- Settled is sent or undeliverable, and never both.
    CHECK ((settled_at_ms IS NOT NULL) = ((message_id IS NOT NULL) + (undeliverable_reason IS NOT NULL) = 1)),
    CHECK (settled_at_ms IS NOT NULL OR (message_id IS NULL AND undeliverable_reason IS NULL))
) STRICT, WITHOUT ROWID;
