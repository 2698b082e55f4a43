-- @CODE:DB-001:DATA | Users over three years, the newest last: one e-mail domain has 40%, 150 others 0.4% each;
-- SPEC: SPEC-DB-001.md | TEST: tests/test_users.py
-- 20% are active, 0.5% admins; one name belongs to 2% of them, every other to 1 to 20. Nothing is random: the
-- same :rows, :now and :seed give the same users.
INSERT INTO users (email, username, created_at, updated_at, metadata)
SELECT 'u' || n || '@'
           || CASE WHEN dice % 100 < 40 THEN 'example.com'
                   ELSE 'mail' || lpad((dice / 100 % 150)::text, 3, '0') || '.example.net' END,
       CASE WHEN dice / 7 % 50 = 0 THEN 'alex'
            -- Twenty names share 210 users: the first has one, the twentieth has twenty.
            ELSE 'user' || n / 210 * 20 + ceil((sqrt(8 * (n % 210 + 1) + 1) - 1) / 2)::bigint END,
       created,
       created + make_interval(secs => (dice / 11 % 86400)::int),
       jsonb_build_object(
           'status', CASE WHEN dice / 13 % 5 = 0 THEN 'active' ELSE 'inactive' END,
           'role', CASE WHEN dice / 17 % 200 = 0 THEN 'admin' WHEN dice / 17 % 200 < 20 THEN 'editor' ELSE 'member' END,
           'preferences', jsonb_build_object('theme', CASE WHEN dice / 19 % 3 = 0 THEN 'dark' ELSE 'light' END))
FROM (SELECT n,
             abs(hashint8extended(n, :seed) % 1000000007) AS dice,
             :now - interval '3 years' * (1 - (n - 0.5) / :rows::float8) AS created
      FROM generate_series(1::bigint, :rows) AS s (n)) AS drawn
