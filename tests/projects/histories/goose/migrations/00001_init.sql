-- +goose Up
CREATE SCHEMA app;
CREATE TABLE app.accounts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner text NOT NULL,
    balance numeric(20,4) NOT NULL DEFAULT 0,
    currency char(3) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON app.accounts (owner);
ALTER TABLE app.accounts ADD CONSTRAINT owner_currency_key UNIQUE (owner, currency);

-- +goose Down
DROP TABLE app.accounts;
DROP SCHEMA app;
