-- migrate:up transaction:false
CREATE UNIQUE INDEX CONCURRENTLY account_email_key ON account (email);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY account_email_key;
