-- extensions: btree_gist
CREATE TABLE stops (
    id text PRIMARY KEY,
    name text NOT NULL,
    lat double precision NOT NULL CHECK (lat BETWEEN -90 AND 90),
    lon double precision NOT NULL CHECK (lon BETWEEN -180 AND 180),
    parent text REFERENCES stops,
    location_type int NOT NULL DEFAULT 0 CHECK (location_type BETWEEN 0 AND 4),
    CHECK (location_type NOT IN (2, 3, 4) OR parent IS NOT NULL)
);
CREATE TABLE routes (
    id text PRIMARY KEY,
    short_name text,
    long_name text,
    type int NOT NULL CHECK (type BETWEEN 0 AND 7 OR type IN (11, 12)),
    color char(6) CHECK (color ~ '^[0-9A-F]{6}$'),
    CHECK (coalesce(short_name, long_name) IS NOT NULL)
);
CREATE TABLE calendar (
    service text PRIMARY KEY,
    monday bool NOT NULL, saturday bool NOT NULL, sunday bool NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    CHECK (first_day <= last_day),
    CHECK (monday OR saturday OR sunday)
);
CREATE TABLE trips (
    id text PRIMARY KEY,
    route text NOT NULL REFERENCES routes,
    service text NOT NULL REFERENCES calendar,
    direction int CHECK (direction IN (0, 1)),
    UNIQUE (route, service, id)
);
CREATE TABLE stop_times (
    trip text NOT NULL REFERENCES trips ON DELETE CASCADE,
    seq int NOT NULL CHECK (seq >= 0),
    stop text NOT NULL REFERENCES stops,
    arrival interval NOT NULL CHECK (arrival >= interval '0'),
    departure interval NOT NULL,
    pickup int DEFAULT 0 CHECK (pickup IN (0, 1, 2, 3)),
    PRIMARY KEY (trip, seq),
    CHECK (departure >= arrival),
    CHECK (departure - arrival < interval '2 hours')
);
CREATE TABLE vehicle_blocks (
    vehicle int NOT NULL,
    during tstzrange NOT NULL,
    trip text REFERENCES trips,
    CHECK (upper(during) - lower(during) < interval '1 day'),
    EXCLUDE USING gist (vehicle WITH =, during WITH &&)
);
