-- Fails (22012) where another runner has taken the lock since; while it holds, nobody can take it before this commits.
SELECT 1 / count(*) FROM (SELECT FROM {ledger} WHERE number = -1 AND step = 0 AND fence = {fence} FOR SHARE) held
