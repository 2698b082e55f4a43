-- migrate:up
UPDATE booking SET amount = amount + 1;
UPDATE account SET n = n + 1;

-- migrate:down
UPDATE account SET n = n - 1;
UPDATE booking SET amount = amount - 1;
