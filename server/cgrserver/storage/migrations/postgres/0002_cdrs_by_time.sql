-- CDRs may lie in partitions by when they were first written. What nobody made a partition for lies in cdrs_rest.

DROP VIEW cdrs_readable;

CREATE SEQUENCE cdrs_order;

SELECT setval('cdrs_order', nextval(pg_get_serial_sequence('cdrs', 'order_id')));

ALTER TABLE cdrs RENAME TO cdrs_rest;

ALTER TABLE cdrs_rest ALTER COLUMN order_id DROP IDENTITY;

-- A constraint of the whole must name the column it is divided by. A call's run has one row all the same: one server writes.
ALTER TABLE cdrs_rest DROP CONSTRAINT cdrs_pkey, DROP CONSTRAINT cdrs_cgrid_run_id_key;

CREATE TABLE cdrs (LIKE cdrs_rest) PARTITION BY RANGE (created_at);

ALTER TABLE cdrs ALTER COLUMN order_id SET DEFAULT nextval('cdrs_order');

ALTER SEQUENCE cdrs_order OWNED BY cdrs.order_id;

ALTER TABLE cdrs ATTACH PARTITION cdrs_rest DEFAULT;

ALTER TABLE cdrs ADD CONSTRAINT cdrs_key PRIMARY KEY (order_id, created_at);

CREATE INDEX cdrs_by_call ON cdrs (cgrid, run_id);

CREATE INDEX cdrs_by_origin ON cdrs (origin_id);

CREATE INDEX cdrs_by_account ON cdrs (account, order_id);

CREATE INDEX cdrs_by_answer ON cdrs (answer_at);

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
