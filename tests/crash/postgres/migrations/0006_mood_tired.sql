-- migrate:up transaction:false
ALTER TYPE mood ADD VALUE 'tired';
UPDATE account SET mood = 'tired', n = n + 1 WHERE id % 10 = 0;

-- migrate:down
UPDATE account SET mood = 'fine', n = n - 1 WHERE id % 10 = 0;
ALTER TABLE account ALTER COLUMN mood DROP DEFAULT;
ALTER TYPE mood RENAME TO mood_old;
CREATE TYPE mood AS ENUM ('fine', 'sad');
ALTER TABLE account ALTER COLUMN mood TYPE mood USING mood::text::mood;
ALTER TABLE account ALTER COLUMN mood SET DEFAULT 'fine';
DROP TYPE mood_old;
