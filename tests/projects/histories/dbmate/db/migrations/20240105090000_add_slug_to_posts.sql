-- migrate:up
ALTER TABLE posts ADD COLUMN slug varchar;
UPDATE posts SET slug = lower(regexp_replace(title, '[^a-zA-Z0-9]+', '-', 'g')) || '-' || id;
ALTER TABLE posts ALTER COLUMN slug SET NOT NULL;
CREATE UNIQUE INDEX index_posts_on_slug ON posts (slug);

-- migrate:down
DROP INDEX index_posts_on_slug;
ALTER TABLE posts DROP COLUMN slug;
