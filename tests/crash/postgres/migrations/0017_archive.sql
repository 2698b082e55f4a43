-- migrate:up
CREATE TABLE archive (LIKE booking INCLUDING ALL);
WITH moved AS (DELETE FROM booking WHERE day >= '2024-09-01' RETURNING id, account, amount, day)
INSERT INTO archive (id, account, amount, day) SELECT * FROM moved;

-- migrate:down
ALTER TABLE booking DISABLE TRIGGER booking_positive;
INSERT INTO booking (id, account, amount, day) SELECT id, account, amount, day FROM archive;
ALTER TABLE booking ENABLE TRIGGER booking_positive;
DROP TABLE archive;
