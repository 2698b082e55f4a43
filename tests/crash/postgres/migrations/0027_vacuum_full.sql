-- migrate:up transaction:false
VACUUM FULL archive;
INSERT INTO audit SELECT 'full', id, 1 FROM archive;

-- migrate:down transaction:false
DELETE FROM audit WHERE what = 'full';
