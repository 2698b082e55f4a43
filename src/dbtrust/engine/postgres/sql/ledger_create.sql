-- One table: a row (step 0) for each migration, one for each statement of a migration that is not one transaction, and
-- the row -1 about the ledger itself: its format, who holds it, and the token that the last holder got.
CREATE TABLE IF NOT EXISTS {ledger} (
  number numeric NOT NULL,
  step integer NOT NULL,
  state text NOT NULL,
  written text,
  name text,
  origin text,
  checksum text,
  source text,
  who text,
  dbtrust text,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  duration_ms double precision,
  at_least_once boolean NOT NULL DEFAULT false,
  stored jsonb NOT NULL DEFAULT '{{}}',
  fence bigint,
  until timestamptz,
  PRIMARY KEY (number, step)
);
COMMENT ON TABLE {ledger} IS 'Migrations applied by dbtrust. It is written by dbtrust migrate alone.';
INSERT INTO {ledger} (number, step, state, stored, fence)
VALUES (-1, 0, 'ledger', '{{"format": {format}}}', 0)
ON CONFLICT DO NOTHING
