-- migrate:up transaction:false
CREATE UNIQUE INDEX CONCURRENTLY booking_once ON booking (account, day) WHERE amount > 5;
COMMENT ON INDEX booking_once IS 'one a day';

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY booking_once;
