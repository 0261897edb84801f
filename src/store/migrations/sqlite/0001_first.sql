-- What the proxy issues: keys, users, teams, members, organisations, end users, budgets, tags,
-- access groups. A thing is a document, and what it is looked up by stands beside it.
CREATE TABLE things (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    alias TEXT,
    user_id TEXT,
    team_id TEXT,
    organization_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX things_by_alias ON things (kind, alias);
CREATE INDEX things_by_user ON things (kind, user_id);
CREATE INDEX things_by_team ON things (kind, team_id);
CREATE INDEX things_by_organization ON things (kind, organization_id);
CREATE UNIQUE INDEX key_aliases ON things (alias) WHERE kind = 'key' AND alias IS NOT NULL;

-- What other processes have not heard of yet: each reads on from the last number that it knows.
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL
);

-- Every change by a person or a program, secrets masked.
CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_by_key TEXT NOT NULL,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    thing TEXT NOT NULL,
    before TEXT,
    after TEXT
);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_thing ON audit (kind, thing);

-- What was spent of each budget in the window that ends at `until` (seconds since 1970), in
-- billionths of a US dollar.
CREATE TABLE accounts (
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    spend BIGINT NOT NULL,
    until BIGINT,
    PRIMARY KEY (scope, subject)
);

-- One row for each call. Times are milliseconds since 1970.
CREATE TABLE calls (
    id TEXT PRIMARY KEY,
    call_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    call_type TEXT NOT NULL,
    started BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    api_key TEXT NOT NULL,
    user_id TEXT NOT NULL,
    team_id TEXT,
    organization_id TEXT,
    end_user TEXT,
    model TEXT NOT NULL,
    model_group TEXT NOT NULL,
    model_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    status TEXT NOT NULL,
    spend BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL,
    session_id TEXT,
    doc TEXT NOT NULL
);
CREATE INDEX calls_by_time ON calls (started);
CREATE INDEX calls_by_key ON calls (api_key, started);
CREATE INDEX calls_by_user ON calls (user_id, started);
CREATE INDEX calls_by_team ON calls (team_id, started);
CREATE INDEX calls_by_request ON calls (request_id);
CREATE INDEX calls_by_call ON calls (call_id);

-- The same summed by day (`2026-11-22`, UTC). `kind` says whose sum it is: `user`, `team`, `tag`,
-- `end_user`, `organization`; every call stands under one user, who may be empty.
CREATE TABLE daily (
    day TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    api_key TEXT NOT NULL,
    model TEXT NOT NULL,
    model_group TEXT NOT NULL,
    provider TEXT NOT NULL,
    spend BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL,
    cache_read_tokens BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    successful BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    PRIMARY KEY (day, kind, subject, api_key, model, model_group, provider)
);

-- How far each journal has been taken over, in bytes.
CREATE TABLE journals (
    name TEXT PRIMARY KEY,
    drained BIGINT NOT NULL,
    at BIGINT NOT NULL
);

-- Values that the proxy keeps for itself.
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
