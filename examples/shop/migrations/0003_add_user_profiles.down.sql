-- @CODE:DB-003:ROLLBACK | No IF EXISTS: a rollback that finds nothing to undo should say so
-- SPEC: SPEC-DB-003.md | TEST: tests/test_profiles.py

DROP TABLE user_profiles;
