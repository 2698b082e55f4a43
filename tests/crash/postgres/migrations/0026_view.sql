-- migrate:up
CREATE VIEW totals AS SELECT account, sum(amount) AS amount FROM booking GROUP BY account;
GRANT SELECT ON totals TO PUBLIC;

-- migrate:down
DROP VIEW totals;
