-- +goose Up
CREATE TYPE app.account_status AS ENUM ('open', 'frozen', 'closed');
ALTER TABLE app.accounts ADD COLUMN status app.account_status NOT NULL DEFAULT 'open';
CREATE INDEX accounts_frozen_idx ON app.accounts (id) WHERE status = 'frozen';

-- +goose Down
ALTER TABLE app.accounts DROP COLUMN status;
DROP TYPE app.account_status;
