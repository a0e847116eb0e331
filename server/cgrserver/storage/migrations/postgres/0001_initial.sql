-- The columns are explained in docs/storage.md. Amounts are exact numerics, instants nanoseconds since 1970 UTC.

CREATE TABLE accounts (id TEXT PRIMARY KEY, body BYTEA NOT NULL);

CREATE TABLE sessions (id TEXT PRIMARY KEY, body BYTEA NOT NULL);

CREATE TABLE idempotency (id TEXT PRIMARY KEY, body BYTEA NOT NULL);

CREATE TABLE documents (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE TABLE ledger (
    line_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    balance_uuid TEXT NOT NULL,
    balance_id TEXT NOT NULL,
    balance_type TEXT NOT NULL,
    before_value NUMERIC(38, 9) NOT NULL,
    after_value NUMERIC(38, 9) NOT NULL,
    amount NUMERIC(38, 9) NOT NULL,
    reason TEXT NOT NULL,
    idempotency_key TEXT NOT NULL
);

CREATE INDEX ledger_account ON ledger (account_id, line_id);

CREATE TABLE cdrs (
    order_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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
    setup_at BIGINT NOT NULL,
    setup_offset_s INTEGER NOT NULL,
    answer_at BIGINT NOT NULL,
    answer_offset_s INTEGER NOT NULL,
    usage_ns BIGINT NOT NULL,
    extra_fields JSONB NOT NULL,
    extra_info TEXT NOT NULL,
    is_partial BOOLEAN NOT NULL,
    is_prerated BOOLEAN NOT NULL,
    cost_source TEXT NOT NULL,
    cost NUMERIC(38, 9),
    cost_details BYTEA,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (cgrid, run_id)
);

CREATE INDEX cdrs_origin ON cdrs (origin_id);

CREATE INDEX cdrs_account ON cdrs (account, order_id);

CREATE INDEX cdrs_answer ON cdrs (answer_at);

CREATE TABLE session_costs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cgrid TEXT NOT NULL,
    run_id TEXT NOT NULL,
    origin_host TEXT NOT NULL,
    origin_id TEXT NOT NULL,
    cost_source TEXT NOT NULL,
    usage_ns BIGINT NOT NULL,
    cost_details BYTEA,
    created_at BIGINT NOT NULL,
    UNIQUE (cgrid, run_id)
);

CREATE INDEX session_costs_origin ON session_costs (origin_id);

-- The same CDRs under CGRateS's column names, with instants as text, for people and reporting tools.
CREATE VIEW cdrs_readable AS
SELECT
    order_id AS id, cgrid, run_id, origin_host, source, origin_id, tor, request_type, tenant, category, account, subject,
    destination,
    CASE WHEN setup_at > 0 THEN to_timestamp(setup_at / 1000000000.0) END AS setup_time,
    CASE WHEN answer_at > 0 THEN to_timestamp(answer_at / 1000000000.0) END AS answer_time,
    usage_ns AS usage, extra_fields, cost_source, cost, extra_info,
    to_timestamp(created_at / 1000000000.0) AS created_at,
    to_timestamp(updated_at / 1000000000.0) AS updated_at
FROM cdrs;
