CREATE TYPE job_state AS ENUM ('available', 'scheduled', 'executing', 'retryable', 'completed', 'discarded', 'cancelled');
CREATE TABLE jobs (
    id bigserial PRIMARY KEY,
    state job_state NOT NULL DEFAULT 'available',
    queue text NOT NULL DEFAULT 'default' CHECK (char_length(queue) > 0 AND char_length(queue) < 128),
    worker text NOT NULL CHECK (char_length(worker) > 0 AND char_length(worker) < 128),
    args jsonb NOT NULL DEFAULT '{}',
    errors jsonb[] NOT NULL DEFAULT ARRAY[]::jsonb[],
    attempt int NOT NULL DEFAULT 0,
    max_attempts int NOT NULL DEFAULT 20 CHECK (max_attempts > 0),
    priority int NOT NULL DEFAULT 0 CHECK (priority >= 0 AND priority <= 9),
    inserted_at timestamp NOT NULL DEFAULT timezone('UTC', now()),
    completed_at timestamp,
    discarded_at timestamp,
    unique_key bytea,
    CONSTRAINT attempt_range CHECK (attempt BETWEEN 0 AND max_attempts),
    CONSTRAINT finished_or_not CHECK (
        (completed_at IS NULL AND state <> 'completed') OR (completed_at IS NOT NULL AND state = 'completed'))
);
CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key) WHERE state IN ('available', 'scheduled', 'executing');
CREATE UNLOGGED TABLE peers (
    name text PRIMARY KEY,
    node text NOT NULL,
    started_at timestamp NOT NULL,
    expires_at timestamp NOT NULL,
    CHECK (expires_at > started_at)
);
CREATE TABLE locks (
    key bigint PRIMARY KEY,
    holder text,
    expires timestamptz,
    CHECK ((holder IS NULL AND expires IS NULL) OR (holder IS NOT NULL AND expires IS NOT NULL))
);
