-- migrate:up transaction:false
ALTER TABLE account ADD CONSTRAINT account_region_check CHECK (region BETWEEN 0 AND 100) NOT VALID;
ALTER TABLE account VALIDATE CONSTRAINT account_region_check;
UPDATE account SET n = n + 3 WHERE region = 3;

-- migrate:down transaction:false
UPDATE account SET n = n - 3 WHERE region = 3;
ALTER TABLE account DROP CONSTRAINT account_region_check;
