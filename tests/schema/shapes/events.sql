CREATE TABLE streams (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind ~ '^[A-Z][A-Za-z]+$'),
    version bigint NOT NULL DEFAULT 0 CHECK (version >= 0)
);
CREATE TABLE events (
    position bigint GENERATED ALWAYS AS IDENTITY,
    stream_id uuid NOT NULL REFERENCES streams,
    version bigint NOT NULL CHECK (version > 0),
    type text NOT NULL CHECK (type LIKE '%.v_' OR type LIKE '%.v__'),
    payload jsonb NOT NULL CHECK (jsonb_typeof(payload) = 'object'),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (metadata ? 'correlation_id' OR metadata = '{}'),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (position),
    CONSTRAINT optimistic_lock UNIQUE (stream_id, version)
);
CREATE TABLE snapshots (
    stream_id uuid PRIMARY KEY REFERENCES streams ON DELETE CASCADE,
    version bigint NOT NULL,
    state jsonb NOT NULL,
    CONSTRAINT state_has_version CHECK ((state ->> 'version')::bigint = version)
);
CREATE TABLE subscriptions (
    name varchar(63) PRIMARY KEY CHECK (name <> ''),
    last_position bigint NOT NULL DEFAULT 0 CHECK (last_position >= 0),
    status varchar(10) NOT NULL CHECK (status IN ('running', 'paused', 'failed')),
    error text,
    CHECK (status <> 'failed' OR error IS NOT NULL),
    CHECK (status = 'failed' OR error IS NULL)
);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'events are immutable'; END $$;
CREATE TRIGGER events_immutable BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE FUNCTION bump() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN UPDATE streams SET version = NEW.version WHERE id = NEW.stream_id; RETURN NULL; END $$;
CREATE TRIGGER events_bump AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION bump();
