-- migrate:up transaction:false
DROP INDEX CONCURRENTLY account_note;

-- migrate:down transaction:false
CREATE INDEX CONCURRENTLY account_note ON account (note, n);
