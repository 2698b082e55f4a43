CREATE DOMAIN mac AS macaddr CHECK (VALUE <> '00:00:00:00:00:00');
CREATE TABLE sites (id smallint PRIMARY KEY, network cidr NOT NULL CHECK (masklen(network) BETWEEN 16 AND 30), zone text NOT NULL);
CREATE TABLE devices (
    id uuid PRIMARY KEY,
    site_id smallint NOT NULL REFERENCES sites,
    hw mac NOT NULL UNIQUE,
    address inet NOT NULL CHECK (family(address) = 4),
    firmware text NOT NULL CHECK (firmware ~ '^v?\d+\.\d+\.\d+$'),
    config json NOT NULL CHECK (json_typeof(config) = 'object'),
    battery_pct int,
    mains boolean NOT NULL,
    CHECK (mains OR battery_pct IS NOT NULL),
    CHECK (battery_pct >= 0 AND battery_pct <= 100),
    UNIQUE (site_id, address)
);
CREATE TABLE telemetry (
    device_id uuid NOT NULL REFERENCES devices ON DELETE CASCADE,
    at timestamptz NOT NULL,
    celsius real CHECK (celsius > -273.15),
    humidity real CHECK (humidity BETWEEN 0 AND 100),
    raw bytea CHECK (length(raw) < 256),
    PRIMARY KEY (device_id, at),
    CHECK (celsius IS NOT NULL OR humidity IS NOT NULL OR raw IS NOT NULL)
);
CREATE TABLE commands (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id uuid NOT NULL REFERENCES devices,
    name text NOT NULL CHECK (name IN ('reboot', 'update', 'locate')),
    payload jsonb NOT NULL DEFAULT '{}',
    queued_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    acked_at timestamptz,
    CHECK (name <> 'update' OR payload ? 'url'),
    CHECK (sent_at >= queued_at),
    CHECK (acked_at IS NULL OR (sent_at IS NOT NULL AND acked_at >= sent_at))
);
