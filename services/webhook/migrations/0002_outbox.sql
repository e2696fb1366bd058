-- Events on their way to the bus, written in the transaction of the state that they tell of.

CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id    TEXT    NOT NULL UNIQUE,
    order_id    INTEGER NOT NULL REFERENCES orders (order_id),
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

CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;
CREATE INDEX outbox_refused ON outbox (order_id, id) WHERE sent_at IS NULL AND refusals > 0;
