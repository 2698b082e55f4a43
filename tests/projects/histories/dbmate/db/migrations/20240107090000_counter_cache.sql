-- migrate:up
ALTER TABLE posts ADD COLUMN comments_count integer NOT NULL DEFAULT 0;
UPDATE posts SET comments_count = (SELECT count(*) FROM comments c WHERE c.commentable_type = 'Post' AND c.commentable_id = posts.id);

-- migrate:down
ALTER TABLE posts DROP COLUMN comments_count;
