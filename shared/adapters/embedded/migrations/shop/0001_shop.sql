-- A key is a number or a text: ANY keeps them apart, and numbers sort first.
CREATE TABLE documents (
    collection TEXT NOT NULL,
    key ANY NOT NULL CHECK (typeof(key) IN ('integer', 'text')),
    version INTEGER NOT NULL CHECK (version > 0),
    body TEXT NOT NULL CHECK (json_valid(body)),
    PRIMARY KEY (collection, key)
) STRICT, WITHOUT ROWID;

-- The values of indexed fields: one row a value, so a list has several. Written in one transaction with the document.
CREATE TABLE document_index (
    collection TEXT NOT NULL,
    field TEXT NOT NULL,
    value ANY NOT NULL CHECK (typeof(value) IN ('integer', 'text')),
    key ANY NOT NULL,
    -- Whether the value is an item of a list: a range finds single numbers only.
    is_item INTEGER NOT NULL CHECK (is_item IN (0, 1)),
    PRIMARY KEY (collection, field, value, key),
    FOREIGN KEY (collection, key) REFERENCES documents (collection, key) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Finds the index rows of a document that changes.
CREATE INDEX document_index_of_document ON document_index (collection, key);

-- The last number given out, by sequence.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL CHECK (value >= 0)
) STRICT, WITHOUT ROWID;

-- attempts counts claims that were not released. A claim is held until lease_until_ms; NULL: nobody holds it.
CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    lease_until_ms INTEGER,
    settled_at_ms INTEGER,
    message_id INTEGER,
    undeliverable_reason TEXT,
    -- Settled is either sent or undeliverable.
    CHECK ((settled_at_ms IS NOT NULL) = ((message_id IS NOT NULL) + (undeliverable_reason IS NOT NULL) = 1)),
    CHECK (settled_at_ms IS NOT NULL OR (message_id IS NULL AND undeliverable_reason IS NULL))
) STRICT, WITHOUT ROWID;
