-- +goose Up
CREATE MATERIALIZED VIEW app.balances AS
SELECT a.id, a.owner, coalesce(sum(e.amount), 0) AS total FROM app.accounts a LEFT JOIN app.entries e ON e.account_id = a.id GROUP BY a.id, a.owner;
CREATE UNIQUE INDEX balances_id_idx ON app.balances (id);

-- +goose Down
DROP MATERIALIZED VIEW app.balances;
