-- migrate:up
CREATE TABLE account_copy (LIKE account INCLUDING ALL);
INSERT INTO account_copy SELECT * FROM account;

-- migrate:down
DROP TABLE account_copy;
