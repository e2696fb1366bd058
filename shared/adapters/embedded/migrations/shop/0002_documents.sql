-- A key is a number or a text; ANY keeps them apart, and numbers come first.
CREATE TABLE documents (
    collection TEXT NOT NULL,
    key ANY NOT NULL CHECK (typeof(key) IN ('integer', 'text')),
    version INTEGER NOT NULL CHECK (version > 0),
    body TEXT NOT NULL CHECK (json_valid(body)),
    PRIMARY KEY (collection, key)
) STRICT, WITHOUT ROWID;

-- What documents are found by: a row a value, so a list has several. Written with the document, in one transaction.
CREATE TABLE document_index (
    collection TEXT NOT NULL,
    field TEXT NOT NULL,
    value ANY NOT NULL CHECK (typeof(value) IN ('integer', 'text')),
    key ANY NOT NULL,
    -- Whether the value is one of a list: a range finds single numbers only.
    is_item INTEGER NOT NULL CHECK (is_item IN (0, 1)),
    PRIMARY KEY (collection, field, value, key),
    FOREIGN KEY (collection, key) REFERENCES documents (collection, key) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- For taking a document's rows out when it changes.
CREATE INDEX document_index_of_document ON document_index (collection, key);
