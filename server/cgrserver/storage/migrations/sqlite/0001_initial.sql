-- The columns are explained in docs/storage.md. Amounts are exact decimal texts, instants nanoseconds since 1970 UTC.

-- last_line leads to the account's lines in the ledger; a removed account keeps it, without a body.
CREATE TABLE accounts (id TEXT PRIMARY KEY, body BLOB, last_line INTEGER);

CREATE TABLE sessions (id TEXT PRIMARY KEY, body BLOB NOT NULL);

CREATE TABLE idempotency (id TEXT PRIMARY KEY, body BLOB NOT NULL);

CREATE TABLE documents (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, id)
);

-- The lines of an account are a chain, from accounts.last_line by previous_line: an index on account_id would write one
-- more page for every line.
CREATE TABLE ledger (
    line_id INTEGER PRIMARY KEY,
    previous_line INTEGER,
    at INTEGER NOT NULL,
    account_id TEXT NOT NULL,
    balance_uuid TEXT NOT NULL,
    balance_id TEXT NOT NULL,
    balance_type TEXT NOT NULL,
    before_value TEXT NOT NULL,
    after_value TEXT NOT NULL,
    amount TEXT NOT NULL,
    reason TEXT NOT NULL,
    idempotency_key TEXT NOT NULL
);

CREATE TABLE cdrs (
    order_id INTEGER PRIMARY KEY AUTOINCREMENT,
    cgrid TEXT NOT NULL,
    run_id TEXT NOT NULL,
    origin_host TEXT NOT NULL,
    source TEXT NOT NULL,
    origin_id TEXT NOT NULL,
    tor TEXT NOT NULL,
    request_type TEXT NOT NULL,
    tenant TEXT NOT NULL,
    category TEXT NOT NULL,
    account TEXT NOT NULL,
    subject TEXT NOT NULL,
    destination TEXT NOT NULL,
    setup_at INTEGER NOT NULL,
    setup_offset_s INTEGER NOT NULL,
    answer_at INTEGER NOT NULL,
    answer_offset_s INTEGER NOT NULL,
    usage_ns INTEGER NOT NULL,
    extra_fields TEXT NOT NULL,
    extra_info TEXT NOT NULL,
    is_partial INTEGER NOT NULL,
    is_prerated INTEGER NOT NULL,
    cost_source TEXT NOT NULL,
    cost TEXT,
    cost_details BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (cgrid, run_id)
);

CREATE INDEX cdrs_origin ON cdrs (origin_id);

CREATE INDEX cdrs_account ON cdrs (account, order_id);

CREATE INDEX cdrs_answer ON cdrs (answer_at);

CREATE TABLE session_costs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cgrid TEXT NOT NULL,
    run_id TEXT NOT NULL,
    origin_host TEXT NOT NULL,
    origin_id TEXT NOT NULL,
    cost_source TEXT NOT NULL,
    usage_ns INTEGER NOT NULL,
    cost_details BLOB,
    created_at INTEGER NOT NULL,
    UNIQUE (cgrid, run_id)
);

CREATE INDEX session_costs_origin ON session_costs (origin_id);

-- The same CDRs under CGRateS's column names, with instants as text, for people and reporting tools.
CREATE VIEW cdrs_readable AS
SELECT
    order_id AS id, cgrid, run_id, origin_host, source, origin_id, tor, request_type, tenant, category, account, subject,
    destination,
    CASE WHEN setup_at > 0 THEN datetime(setup_at / 1000000000, 'unixepoch') END AS setup_time,
    CASE WHEN answer_at > 0 THEN datetime(answer_at / 1000000000, 'unixepoch') END AS answer_time,
    usage_ns AS usage, extra_fields, cost_source, cost, extra_info,
    datetime(created_at / 1000000000, 'unixepoch') AS created_at,
    datetime(updated_at / 1000000000, 'unixepoch') AS updated_at
FROM cdrs;
