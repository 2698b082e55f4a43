-- A table of one row, a versioned configuration, feature flags.
CREATE TABLE site (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    name text NOT NULL,
    theme text NOT NULL CHECK (theme IN ('light', 'dark')),
    max_upload_mb int NOT NULL CHECK (max_upload_mb BETWEEN 1 AND 1024),
    support_url text NOT NULL CHECK (support_url LIKE 'https://%'),
    accent char(7) NOT NULL CHECK (accent ~* '^#[a-f0-9]{6}$')
);
CREATE TABLE flags (
    key text PRIMARY KEY CHECK (key ~ '^[a-z_]+$'),
    enabled boolean NOT NULL DEFAULT false,
    rollout int NOT NULL DEFAULT 0 CHECK (rollout >= 0 AND rollout <= 100 AND rollout % 5 = 0),
    rules jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(rules) = 'array' AND jsonb_array_length(rules) <= 20),
    owner text NOT NULL,
    CHECK (enabled OR rollout = 0)
);
CREATE TABLE config_versions (
    version int PRIMARY KEY CHECK (version > 0),
    previous int UNIQUE REFERENCES config_versions,
    document jsonb NOT NULL CHECK (document ? 'schema' AND (document ->> 'schema')::int >= 1),
    active_during tstzrange NOT NULL CHECK (lower_inc(active_during)),
    CHECK (previous = version - 1),
    EXCLUDE USING gist (active_during WITH &&)
);
