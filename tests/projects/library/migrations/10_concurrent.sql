-- migrate:up transaction:false
-- verify: (SELECT indisvalid FROM pg_index WHERE indexrelid = 'book_title'::regclass)
CREATE INDEX CONCURRENTLY book_title ON book (title);
-- migrate:down transaction:false
DROP INDEX CONCURRENTLY book_title;
