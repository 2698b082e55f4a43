-- migrate:up
UPDATE account SET n = n + 2 WHERE region < 9;
REFRESH MATERIALIZED VIEW per_region;

-- migrate:down
UPDATE account SET n = n - 2 WHERE region < 9;
REFRESH MATERIALIZED VIEW per_region;
