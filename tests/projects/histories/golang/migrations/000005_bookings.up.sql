CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TABLE rooms (id serial PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants, name text NOT NULL);
CREATE TABLE bookings (
  id bigserial PRIMARY KEY,
  room_id int NOT NULL REFERENCES rooms,
  during tstzrange NOT NULL,
  EXCLUDE USING gist (room_id WITH =, during WITH &&)
);
