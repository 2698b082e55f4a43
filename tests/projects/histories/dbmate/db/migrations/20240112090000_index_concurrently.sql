-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY index_comments_on_user_id ON comments (user_id);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY index_comments_on_user_id;
