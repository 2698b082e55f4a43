-- migrate:up
CREATE FUNCTION keep_positive() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.amount := greatest(NEW.amount, 0); RETURN NEW;
END $$;
CREATE TRIGGER booking_positive BEFORE INSERT ON booking FOR EACH ROW EXECUTE FUNCTION keep_positive();
INSERT INTO booking SELECT id + 100000, id, -5, date '2025-01-01' FROM account WHERE region = 5;

-- migrate:down
DELETE FROM booking WHERE id > 100000;
DROP TRIGGER booking_positive ON booking;
DROP FUNCTION keep_positive();
