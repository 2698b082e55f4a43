-- +goose Up
CREATE TABLE app.audit (
    id bigserial,
    at timestamptz NOT NULL DEFAULT now(),
    table_name text NOT NULL,
    row_data jsonb,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE app.audit_2024 PARTITION OF app.audit FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE app.audit_2025 PARTITION OF app.audit FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE app.audit_default PARTITION OF app.audit DEFAULT;
CREATE INDEX audit_table_idx ON app.audit (table_name);
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION app.write_audit() RETURNS trigger AS $$
BEGIN
    INSERT INTO app.audit (table_name, row_data) VALUES (TG_TABLE_NAME, to_jsonb(NEW));
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
-- +goose StatementEnd
CREATE TRIGGER accounts_audit AFTER INSERT OR UPDATE ON app.accounts FOR EACH ROW EXECUTE PROCEDURE app.write_audit();

-- +goose Down
DROP TRIGGER accounts_audit ON app.accounts;
DROP FUNCTION app.write_audit();
DROP TABLE app.audit;
