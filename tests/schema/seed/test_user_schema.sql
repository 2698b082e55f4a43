-- @TEST:DB-001 | Verify PostgreSQL 17 schema and index performance
-- SPEC: SPEC-DB-001.md | CODE: src/models/user.sql

BEGIN;

-- Test 1: Verify IDENTITY column behavior
INSERT INTO users (email, username, metadata)
VALUES ('test@example.com', 'testuser', '{"status": "active"}');

-- Verify ID is auto-generated
SELECT id, email FROM users WHERE email = 'test@example.com';

-- Test 2: Verify constraint enforcement
DO $$
BEGIN
    INSERT INTO users (email, username) VALUES ('invalid-email', 'ab');
    RAISE EXCEPTION 'Constraint should have failed';
EXCEPTION
    WHEN check_violation THEN
        RAISE NOTICE 'Constraint correctly enforced';
END $$;

-- Test 3: Verify index usage with EXPLAIN
EXPLAIN (ANALYZE, BUFFERS)
SELECT * FROM users
WHERE metadata->>'status' = 'active';
-- Expected: Index Scan using idx_active_users (partial index)

-- Test 4: Verify trigger functionality
UPDATE users SET username = 'updated_user' WHERE email = 'test@example.com';
SELECT updated_at > created_at AS trigger_worked FROM users WHERE email = 'test@example.com';

ROLLBACK;
