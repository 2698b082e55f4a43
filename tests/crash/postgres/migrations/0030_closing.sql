-- migrate:up
INSERT INTO audit SELECT 'sum', region, sum(n) FROM account GROUP BY region;

-- migrate:down
DELETE FROM audit WHERE what = 'sum';
