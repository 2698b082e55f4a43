-- migrate:up
ALTER TABLE posts ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('english', coalesce(title, '') || ' ' || coalesce(body, ''))) STORED;
CREATE INDEX index_posts_on_search ON posts USING gin (search);

-- migrate:down
ALTER TABLE posts DROP COLUMN search;
