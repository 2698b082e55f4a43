-- extensions: btree_gist
CREATE TABLE hotels (id int PRIMARY KEY, name text NOT NULL, stars int CHECK (stars >= 1 AND stars <= 5));
CREATE TABLE rooms (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hotel_id int NOT NULL REFERENCES hotels ON DELETE CASCADE,
    number varchar(8) NOT NULL,
    capacity int NOT NULL DEFAULT 2 CHECK (capacity > 0),
    UNIQUE (hotel_id, number)
);
CREATE TABLE guests (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    full_name text NOT NULL,
    phone text CHECK (phone ~ '^\+[1-9][0-9]{6,14}$'),
    email text,
    CHECK (phone IS NOT NULL OR email IS NOT NULL)
);
CREATE TABLE bookings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id int NOT NULL REFERENCES rooms,
    guest_id int NOT NULL REFERENCES guests,
    stay daterange NOT NULL CHECK (NOT isempty(stay) AND NOT lower_inf(stay) AND NOT upper_inf(stay)),
    guests_count int NOT NULL CHECK (guests_count BETWEEN 1 AND 8),
    state text NOT NULL DEFAULT 'held' CHECK (state = ANY (ARRAY['held', 'confirmed', 'cancelled'])),
    cancelled_at timestamptz,
    CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL)),
    CONSTRAINT no_double_booking EXCLUDE USING gist (room_id WITH =, stay WITH &&) WHERE (state <> 'cancelled')
);
CREATE TABLE shifts (
    person text NOT NULL,
    starts_at timestamp NOT NULL,
    ends_at timestamp NOT NULL,
    CONSTRAINT shift_order CHECK (ends_at > starts_at),
    CONSTRAINT shift_length CHECK (ends_at - starts_at <= interval '12 hours'),
    CONSTRAINT one_shift_at_a_time EXCLUDE USING gist (person WITH =, tsrange(starts_at, ends_at) WITH &&)
);
CREATE TABLE cages (
    id int PRIMARY KEY,
    cage int NOT NULL,
    animal text NOT NULL,
    EXCLUDE USING gist (cage WITH =, animal WITH <>)
);
