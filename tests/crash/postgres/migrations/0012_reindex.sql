-- migrate:up transaction:false
REINDEX INDEX CONCURRENTLY account_email_key;
REINDEX TABLE CONCURRENTLY audit;

-- migrate:down transaction:false
REINDEX INDEX CONCURRENTLY account_email_key;
