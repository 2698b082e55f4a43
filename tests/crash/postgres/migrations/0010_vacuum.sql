-- migrate:up transaction:false
VACUUM (ANALYZE) account;
VACUUM booking;

-- migrate:down transaction:false
VACUUM account;
