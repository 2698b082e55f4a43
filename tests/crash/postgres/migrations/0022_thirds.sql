-- migrate:up transaction:false
UPDATE account SET n = n * 2 + 1 WHERE id % 3 = 0;
UPDATE account SET n = n * 2 + 1 WHERE id % 3 = 1;
UPDATE account SET n = n * 2 + 1 WHERE id % 3 = 2;

-- migrate:down transaction:false
UPDATE account SET n = (n - 1) / 2 WHERE id % 3 = 2;
UPDATE account SET n = (n - 1) / 2 WHERE id % 3 = 1;
UPDATE account SET n = (n - 1) / 2 WHERE id % 3 = 0;
