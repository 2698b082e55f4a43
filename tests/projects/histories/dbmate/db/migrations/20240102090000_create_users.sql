-- migrate:up
CREATE EXTENSION IF NOT EXISTS citext;
CREATE TABLE users (
  id bigserial PRIMARY KEY,
  email citext NOT NULL,
  encrypted_password varchar NOT NULL DEFAULT '',
  name varchar(255),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX index_users_on_email ON users (email);

-- migrate:down
DROP TABLE users;
DROP EXTENSION citext;
