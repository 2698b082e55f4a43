-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY account_region ON account (region);
UPDATE account SET n = n + 10;
CREATE INDEX CONCURRENTLY account_note ON account (note, n);
INSERT INTO audit SELECT 'ten', id, n FROM account WHERE region < 8;
CREATE INDEX CONCURRENTLY audit_account ON audit (account);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY audit_account;
DELETE FROM audit WHERE what = 'ten';
DROP INDEX CONCURRENTLY account_note;
UPDATE account SET n = n - 10;
DROP INDEX CONCURRENTLY account_region;
