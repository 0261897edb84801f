-- Whose the objects are that upstream providers keep: files, batches, responses, vector stores.
CREATE TABLE objects (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX objects_by_owner ON objects (owner);
