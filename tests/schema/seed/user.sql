-- @CODE:DB-001 | Modern PostgreSQL 17 schema with identity columns
-- SPEC: SPEC-DB-001.md | TEST: tests/db/test_user_schema.sql

CREATE TABLE IF NOT EXISTS users (
    -- Use IDENTITY instead of SERIAL (PostgreSQL 17 best practice)
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email VARCHAR(255) NOT NULL UNIQUE,
    username VARCHAR(50) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    metadata JSONB,

    -- Constraints
    CONSTRAINT valid_email CHECK (email ~* '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Z|a-z]{2,}$'),
    CONSTRAINT valid_username CHECK (LENGTH(username) >= 3)
);

-- B-tree index for equality and range queries (most common)
CREATE INDEX idx_users_created_at ON users(created_at);

-- Partial index for active users only (275x performance improvement)
CREATE INDEX idx_active_users ON users(email) WHERE metadata->>'status' = 'active';

-- GIN index for JSONB queries (PostgreSQL specialty)
CREATE INDEX idx_users_metadata ON users USING GIN(metadata);

-- Composite index (column order matters: most selective first)
CREATE INDEX idx_users_search ON users(created_at DESC, username);

-- Add trigger for updated_at
CREATE OR REPLACE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = CURRENT_TIMESTAMP;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER update_users_updated_at
    BEFORE UPDATE ON users
    FOR EACH ROW
    EXECUTE FUNCTION update_updated_at_column();
