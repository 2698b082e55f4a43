-- migrate:up
CREATE TABLE booking (id int PRIMARY KEY, account int NOT NULL, amount int NOT NULL, day date NOT NULL);
INSERT INTO booking SELECT id, id, n + 7, date '2024-01-01' + id % 300 FROM account;

-- migrate:down
DROP TABLE booking;
