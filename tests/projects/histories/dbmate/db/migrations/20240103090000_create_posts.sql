-- migrate:up
CREATE TYPE post_status AS ENUM ('draft', 'published', 'archived');
CREATE TABLE posts (
  id bigserial PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  title varchar NOT NULL,
  body text,
  status post_status NOT NULL DEFAULT 'draft',
  metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
  published_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX index_posts_on_user_id ON posts (user_id);
CREATE INDEX index_posts_on_metadata ON posts USING gin (metadata);
CREATE INDEX index_posts_published ON posts (published_at DESC) WHERE status = 'published';

-- migrate:down
DROP TABLE posts;
DROP TYPE post_status;
