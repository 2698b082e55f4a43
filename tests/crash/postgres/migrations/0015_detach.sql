-- migrate:up transaction:false
ALTER TABLE measure DETACH PARTITION measure_1 CONCURRENTLY;
UPDATE measure_1 SET value = value + 1;

-- migrate:down transaction:false
UPDATE measure_1 SET value = value - 1;
ALTER TABLE measure ATTACH PARTITION measure_1 FOR VALUES IN (1);
ALTER TABLE measure_1 DROP CONSTRAINT IF EXISTS measure_1_region_check;
