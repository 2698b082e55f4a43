-- migrate:up
CREATE MATERIALIZED VIEW per_region AS SELECT region, sum(n) AS n FROM account GROUP BY region;
CREATE UNIQUE INDEX per_region_key ON per_region (region);

-- migrate:down
DROP MATERIALIZED VIEW per_region;
