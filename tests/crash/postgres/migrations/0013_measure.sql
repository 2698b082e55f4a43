-- migrate:up
CREATE TABLE measure (id int NOT NULL, region int NOT NULL, value int NOT NULL) PARTITION BY LIST (region);
CREATE TABLE measure_0 PARTITION OF measure FOR VALUES IN (0);
CREATE TABLE measure_1 PARTITION OF measure FOR VALUES IN (1);
INSERT INTO measure SELECT id, region % 2, n FROM account;

-- migrate:down
DROP TABLE measure;
