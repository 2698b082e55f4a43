-- migrate:up
CREATE TABLE tags (id bigserial PRIMARY KEY, name citext NOT NULL UNIQUE);
CREATE TABLE posts_tags (
  post_id bigint NOT NULL REFERENCES posts ON DELETE CASCADE,
  tag_id bigint NOT NULL REFERENCES tags ON DELETE CASCADE,
  PRIMARY KEY (post_id, tag_id)
);
INSERT INTO tags (name) VALUES ('news'), ('tech'), ('life');

-- migrate:down
DROP TABLE posts_tags;
DROP TABLE tags;
