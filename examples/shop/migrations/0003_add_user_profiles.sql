-- @CODE:DB-003 | One profile for each user
-- SPEC: SPEC-DB-003.md | TEST: tests/test_profiles.py
-- verify: EXISTS (SELECT 1 FROM pg_catalog.pg_constraint WHERE conname = 'fk_user_profiles_user_id' AND confdeltype = 'c')
-- verify: to_regclass('user_profiles') IS NOT NULL

BEGIN;

CREATE TABLE user_profiles (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- UNIQUE brings the index that the foreign key needs: a second one would only cost writes.
    user_id bigint NOT NULL UNIQUE
        CONSTRAINT fk_user_profiles_user_id REFERENCES users (id) ON DELETE CASCADE,
    bio text,
    avatar_url varchar(500),
    social_links jsonb NOT NULL DEFAULT '{}',
    preferences jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_user_profiles_preferences ON user_profiles USING gin (preferences);

CREATE TRIGGER update_user_profiles_updated_at
    BEFORE UPDATE ON user_profiles
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

COMMIT;
