-- @CODE:DB-001:QUERY | Queries over users; every claim is proven by dbtrust check
-- SPEC: SPEC-DB-001.md | TEST: tests/test_users.py

-- name: recent_signups
-- The newest users since a moment, with their addresses.
-- claim: uses idx_users_recent on users index only
-- claim: no sort
-- claim: examines at most 1 rows per result
-- claim: cost at most 10
-- example last week: since = now() - interval '7 days', limit = 100
-- example last year: since = now() - interval '1 year', limit = 20
SELECT email, created_at
FROM users
WHERE created_at >= :since
ORDER BY created_at DESC
LIMIT :limit;

-- name: signups_per_day
-- Users a day in UTC, the newest day first; both the bound and the days are UTC.
-- claim: uses idx_users_recent on users index only
-- claim: examines at most 300 rows per result
-- example: days = 30
-- example a week: days = 7
SELECT (created_at AT TIME ZONE 'UTC')::date AS signup_date, count(*) AS signups
FROM users
WHERE created_at >= date_trunc('day', now(), 'UTC') - make_interval(days => :days)
GROUP BY signup_date
ORDER BY signup_date DESC;

-- name: by_role
-- Users of a rare role. A role that nine of ten users have is rightly read by a scan.
-- claim: uses idx_users_metadata on users
-- claim: no seq scan
-- claim: examines at most 1 rows per result
-- example admins: role = 'admin'
-- example nobody: role = 'absent'
SELECT id, email, metadata -> 'preferences' AS preferences
FROM users
WHERE metadata @> jsonb_build_object('role', :role::text);

-- name: active_by_domain
-- Active users of one e-mail domain: the key of the index is the domain, its predicate the status.
-- claim: uses idx_active_users on users
-- claim: examines at most 1 rows per result
-- claim: cost at most 50
-- example: domain = 'mail007.example.net'
-- example absent: domain = 'nowhere.example.org'
SELECT email, username
FROM users
WHERE metadata ->> 'status' = 'active'
  AND split_part(email, '@', 2) = :domain;

-- name: by_username
-- The newest users of one name.
-- claim: uses idx_users_search on users
-- claim: no sort
-- claim: examines at most 1 rows per result
-- claim: cost at most 40
-- example frequent: username = 'alex', limit = 20
-- example rare: username = 'user100', limit = 20
-- example absent: username = 'nobody at all', limit = 20
SELECT id, email, username, created_at, updated_at
FROM users
WHERE username = :username
ORDER BY created_at DESC
LIMIT :limit;

-- name: insert_user^
-- example: email = 'new.user@example.org', username = 'newuser', metadata = '{"status": "active"}'::jsonb
INSERT INTO users (email, username, metadata)
VALUES (:email, :username, :metadata)
RETURNING id, email, username, created_at, updated_at;

-- name: rename_user^
-- claim: uses users_pkey on users
-- example: id = 4242, username = 'renamed'
UPDATE users
SET username = :username
WHERE id = :id
RETURNING id, email, username, created_at, updated_at;

-- name: delete_user!
-- claim: uses users_pkey on users
-- example: id = 4242
DELETE FROM users
WHERE id = :id;
