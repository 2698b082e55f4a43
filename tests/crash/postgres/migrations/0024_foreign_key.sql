-- migrate:up transaction:false
ALTER TABLE booking ADD CONSTRAINT booking_account_fkey FOREIGN KEY (account) REFERENCES account (id) NOT VALID;
ALTER TABLE booking VALIDATE CONSTRAINT booking_account_fkey;
CREATE INDEX CONCURRENTLY booking_account ON booking (account);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY booking_account;
ALTER TABLE booking DROP CONSTRAINT booking_account_fkey;
