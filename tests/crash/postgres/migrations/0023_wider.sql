-- migrate:up
ALTER TABLE audit ALTER COLUMN amount TYPE bigint;

-- migrate:down
ALTER TABLE audit ALTER COLUMN amount TYPE int;
