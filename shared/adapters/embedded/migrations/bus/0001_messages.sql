-- One row for each queue that a message was routed to; it is deleted when the message is done.
-- Which reader holds a message is not kept here: that belongs to a run of the process.
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    message_id TEXT NOT NULL,
    schema TEXT NOT NULL,
    body BLOB NOT NULL CHECK (length(body) <= 262144),
    -- How many steps of the retry ladder lie behind it.
    retries INTEGER NOT NULL DEFAULT 0 CHECK (retries BETWEEN 0 AND 4),
    state TEXT NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'delayed', 'parked')),
    -- A delayed message is ready again at due_at_ms, which was delay_ms away when it was set.
    due_at_ms INTEGER,
    delay_ms INTEGER CHECK (delay_ms >= 0),
    parked_at_ms INTEGER,
    reason TEXT,
    CHECK ((state = 'delayed') = (due_at_ms IS NOT NULL)),
    CHECK ((state = 'delayed') = (delay_ms IS NOT NULL)),
    CHECK ((state = 'parked') = (parked_at_ms IS NOT NULL)),
    CHECK ((state = 'parked') = (reason IS NOT NULL))
) STRICT;

CREATE INDEX messages_ready ON messages (queue, seq) WHERE state = 'ready';
CREATE INDEX messages_delayed ON messages (queue, due_at_ms) WHERE state = 'delayed';
CREATE INDEX messages_parked ON messages (queue, parked_at_ms, seq) WHERE state = 'parked';
