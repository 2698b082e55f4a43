-- migrate:up
UPDATE account SET n = n + 1;

-- migrate:down
UPDATE account SET n = n - 1;
