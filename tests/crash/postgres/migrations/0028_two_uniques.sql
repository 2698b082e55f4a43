-- migrate:up transaction:false
CREATE UNIQUE INDEX CONCURRENTLY account_id_email ON account (id, email);
UPDATE account SET n = n + 5 WHERE id % 2 = 0;
CREATE UNIQUE INDEX CONCURRENTLY account_email_id ON account (email, id);
DROP INDEX CONCURRENTLY account_id_email;
INSERT INTO audit SELECT 'even', id, 5 FROM account WHERE id % 2 = 0;

-- migrate:down transaction:false
DELETE FROM audit WHERE what = 'even';
DROP INDEX CONCURRENTLY account_email_id;
UPDATE account SET n = n - 5 WHERE id % 2 = 0;
