-- @CODE:DB-001:ROLLBACK | The table takes its indexes and its trigger with it
-- SPEC: SPEC-DB-001.md | TEST: tests/test_users.py

DROP TABLE users;
DROP FUNCTION update_updated_at_column();
