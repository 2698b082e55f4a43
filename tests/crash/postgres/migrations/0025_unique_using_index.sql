-- migrate:up transaction:false
CREATE UNIQUE INDEX CONCURRENTLY account_copy_mail ON account_copy (email, region);
ALTER TABLE account_copy ADD CONSTRAINT account_copy_mail UNIQUE USING INDEX account_copy_mail;

-- migrate:down
ALTER TABLE account_copy DROP CONSTRAINT account_copy_mail;
