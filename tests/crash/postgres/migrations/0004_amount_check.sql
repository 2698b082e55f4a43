-- migrate:up
ALTER TABLE booking ADD CONSTRAINT booking_amount_check CHECK (amount > -1000) NOT VALID;
ALTER TABLE booking VALIDATE CONSTRAINT booking_amount_check;

-- migrate:down
ALTER TABLE booking DROP CONSTRAINT booking_amount_check;
