-- +goose Up
CREATE DOMAIN app.currency AS char(3) CHECK (VALUE ~ '^[A-Z]{3}$');
-- lossy: column app.accounts.currency
UPDATE app.accounts SET currency = 'EUR' WHERE currency !~ '^[A-Z]{3}$';

-- +goose Down
DROP DOMAIN app.currency;
