-- migrate:up
ALTER TABLE booking ADD COLUMN twice int GENERATED ALWAYS AS (amount * 2) STORED;

-- migrate:down
ALTER TABLE booking DROP COLUMN twice;
