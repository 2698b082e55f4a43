-- @CODE:DB-001 | Users: identity, named checks, one index for each kind of query, a trigger for updated_at
-- SPEC: SPEC-DB-001.md | TEST: tests/test_users.py
-- verify: EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass('users') AND relkind = 'r')

CREATE FUNCTION update_updated_at_column() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END;
$$;

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email varchar(255) NOT NULL UNIQUE
        CONSTRAINT valid_email CHECK (email ~ '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$'),
    username varchar(50) NOT NULL CONSTRAINT valid_username CHECK (length(username) >= 3),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    metadata jsonb
);

-- The newest users with their addresses, and counts of a period, without a visit to the table.
CREATE INDEX idx_users_recent ON users (created_at DESC) INCLUDE (email);
-- Equality first, then the order that is wanted.
CREATE INDEX idx_users_search ON users (username, created_at DESC);
-- Active users of one e-mail domain: the predicate leaves four of five users out.
CREATE INDEX idx_active_users ON users (split_part(email, '@', 2)) WHERE metadata ->> 'status' = 'active';
CREATE INDEX idx_users_metadata ON users USING gin (metadata);

CREATE TRIGGER update_users_updated_at
    BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
