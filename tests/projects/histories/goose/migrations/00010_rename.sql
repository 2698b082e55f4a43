-- +goose Up
ALTER TABLE app.accounts RENAME COLUMN owner TO holder;
ALTER TABLE app.accounts RENAME CONSTRAINT owner_currency_key TO holder_currency_key;

-- +goose Down
ALTER TABLE app.accounts RENAME CONSTRAINT holder_currency_key TO owner_currency_key;
ALTER TABLE app.accounts RENAME COLUMN holder TO owner;
