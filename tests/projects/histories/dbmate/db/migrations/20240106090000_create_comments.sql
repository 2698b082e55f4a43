-- migrate:up
CREATE TABLE comments (
  id bigserial PRIMARY KEY,
  commentable_type varchar NOT NULL,
  commentable_id bigint NOT NULL,
  user_id bigint REFERENCES users ON DELETE SET NULL,
  parent_id bigint REFERENCES comments ON DELETE CASCADE,
  body text NOT NULL CHECK (length(body) > 0),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX index_comments_on_commentable ON comments (commentable_type, commentable_id);

-- migrate:down
DROP TABLE comments;
