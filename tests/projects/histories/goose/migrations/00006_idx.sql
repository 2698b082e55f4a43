-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY entries_account_idx ON app.entries (account_id, created_at DESC);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS app.entries_account_idx;
