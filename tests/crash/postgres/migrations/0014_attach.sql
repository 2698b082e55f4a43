-- migrate:up
CREATE TABLE measure_2 (id int NOT NULL, region int NOT NULL, value int NOT NULL);
INSERT INTO measure_2 SELECT id, 2, n FROM account WHERE region < 6;
ALTER TABLE measure_2 ADD CONSTRAINT measure_2_region CHECK (region = 2);
ALTER TABLE measure ATTACH PARTITION measure_2 FOR VALUES IN (2);

-- migrate:down
ALTER TABLE measure DETACH PARTITION measure_2;
DROP TABLE measure_2;
