-- Responses of providers that keep none: what was asked, and what was answered.
CREATE TABLE responses (
    id TEXT PRIMARY KEY,
    previous TEXT,
    at BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    input TEXT NOT NULL,
    response TEXT NOT NULL
);
CREATE INDEX responses_by_previous ON responses (previous);
CREATE INDEX responses_by_age ON responses (at);
