-- Four column types alone: TEXT, BIGINT, DOUBLE PRECISION, BLOB. Flags are 0 or 1, times are microseconds since 1970
-- (UTC), lists and objects are JSON as TEXT, ids are made by Drogue. BLOBs are deflated.

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row a stream; `version` counts its writes, and every writing transaction about a stream takes this row first.
CREATE TABLE streams (
    connector TEXT NOT NULL,
    stream TEXT NOT NULL,
    version BIGINT NOT NULL,
    first_window BIGINT,
    last_window BIGINT,
    windows BIGINT NOT NULL,
    learning_until BIGINT,
    last_attempt BIGINT,
    last_outcome TEXT,
    next_due BIGINT,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    lease_holder TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    PRIMARY KEY (connector, stream)
);

-- One row a check; that it is here is what makes storing it again change nothing.
CREATE TABLE checks (
    id TEXT NOT NULL PRIMARY KEY,
    connector TEXT NOT NULL,
    stream TEXT NOT NULL,
    at BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX checks_by_stream ON checks (connector, stream, at);

CREATE TABLE windows (
    id TEXT NOT NULL PRIMARY KEY,
    connector TEXT NOT NULL,
    stream TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    records BIGINT NOT NULL,
    is_partial BIGINT NOT NULL,
    is_clean BIGINT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX windows_by_stream ON windows (connector, stream, to_at);

CREATE TABLE baselines (
    connector TEXT NOT NULL,
    stream TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    records BIGINT NOT NULL,
    windows BIGINT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (connector, stream, version)
);

CREATE TABLE findings (
    connector TEXT NOT NULL,
    stream TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,
    severity BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    resolved_at BIGINT,
    told_at BIGINT,
    misses BIGINT NOT NULL,
    judged BIGINT NOT NULL,
    flaps TEXT NOT NULL,
    note TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (connector, stream, fingerprint)
);
CREATE INDEX findings_by_fingerprint ON findings (fingerprint);

CREATE TABLE diagnoses (
    connector TEXT NOT NULL,
    stream TEXT NOT NULL,
    id TEXT NOT NULL,
    is_current BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (connector, stream, id)
);

CREATE TABLE silences (
    id TEXT NOT NULL PRIMARY KEY,
    until_at BIGINT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE patches (
    id TEXT NOT NULL PRIMARY KEY,
    connector TEXT NOT NULL,
    stream TEXT NOT NULL,
    state TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    verification TEXT,
    body TEXT NOT NULL
);
CREATE INDEX patches_by_stream ON patches (connector, stream, state);

-- The bytes of each file before a patch.
CREATE TABLE undo_copies (
    patch TEXT NOT NULL,
    path TEXT NOT NULL,
    before_sha256 TEXT NOT NULL,
    after_sha256 TEXT NOT NULL,
    saved_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (patch, path)
);

-- What is being written to users' files: a row stands here before the first byte and is ended after the last.
CREATE TABLE writes (
    id TEXT NOT NULL PRIMARY KEY,
    patch TEXT NOT NULL,
    started BIGINT NOT NULL,
    ended BIGINT,
    body TEXT NOT NULL
);

-- Append-only; each row holds the hash of the one before it.
CREATE TABLE audit (
    seq BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    about TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX audit_by_about ON audit (about, seq);

-- One row: where the log ends, and what stood before its oldest row when older ones were pruned.
CREATE TABLE audit_ends (
    id BIGINT NOT NULL PRIMARY KEY,
    last_seq BIGINT NOT NULL,
    last_hash TEXT NOT NULL,
    pruned_seq BIGINT NOT NULL,
    pruned_hash TEXT NOT NULL
);
INSERT INTO audit_ends (id, last_seq, last_hash, pruned_seq, pruned_hash) VALUES (1, 0, '', 0, '');

CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    receiver TEXT NOT NULL,
    connector TEXT NOT NULL,
    stream TEXT NOT NULL,
    state TEXT NOT NULL,
    created BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    lease_holder TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    ended_at BIGINT,
    last_error TEXT,
    body TEXT NOT NULL
);
CREATE INDEX outbox_by_state ON outbox (state, next_at);

CREATE TABLE documents (
    connector TEXT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    fetched_at BIGINT NOT NULL,
    checked_at BIGINT NOT NULL,
    is_accepted BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    etag TEXT,
    last_modified TEXT,
    content_type TEXT,
    size_bytes BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (connector, name, version)
);

CREATE TABLE request_budget (
    connector TEXT NOT NULL,
    day BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (connector, day)
);
