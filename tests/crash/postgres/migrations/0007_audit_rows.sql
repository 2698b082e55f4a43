-- migrate:up
INSERT INTO audit SELECT 'open', id, n FROM account;

-- migrate:down
DELETE FROM audit WHERE what = 'open';
