-- migrate:up
ALTER TABLE users ALTER COLUMN encrypted_password DROP DEFAULT;
ALTER TABLE users ADD COLUMN admin boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN users.admin IS 'may do everything';

-- migrate:down
ALTER TABLE users DROP COLUMN admin;
ALTER TABLE users ALTER COLUMN encrypted_password SET DEFAULT '';
