-- @TEST:DB-001:PROOF | Each rule refuses a row that breaks that rule alone; the triggers do what they say
-- SPEC: SPEC-DB-001.md | CODE: migrations/0001_users.sql

-- name: email_without_domain_is_refused
-- claim: refused 23514 by valid_email
INSERT INTO users (email, username) VALUES ('nobody', 'somebody');

-- name: pipe_is_no_letter
-- A top-level domain of "c|m" passes a class written [A-Z|a-z].
-- claim: refused 23514 by valid_email
INSERT INTO users (email, username) VALUES ('nobody@example.c|m', 'somebody');

-- name: short_name_is_refused
-- claim: refused 23514 by valid_username
INSERT INTO users (email, username) VALUES ('ab@example.org', 'ab');

-- name: three_letters_are_enough
-- claim: true
INSERT INTO users (email, username) VALUES ('abc@example.org', 'abc') RETURNING username = 'abc';

-- name: email_is_unique
-- claim: refused 23505 by users_email_key
INSERT INTO users (email, username) VALUES ('twice@example.org', 'first');
INSERT INTO users (email, username) VALUES ('twice@example.org', 'second');

-- name: email_is_required
-- claim: refused 23502 on users.email
INSERT INTO users (email, username) VALUES (NULL, 'somebody');

-- name: username_is_required
-- claim: refused 23502 on users.username
INSERT INTO users (email, username) VALUES ('some@example.org', NULL);

-- name: created_at_is_required
-- claim: refused 23502 on users.created_at
INSERT INTO users (email, username, created_at) VALUES ('some@example.org', 'somebody', NULL);

-- name: updated_at_is_required
-- claim: refused 23502 on users.updated_at
INSERT INTO users (email, username, updated_at) VALUES ('some@example.org', 'somebody', NULL);

-- name: id_is_always_generated
-- claim: refused 428C9
INSERT INTO users (id, email, username) VALUES (1, 'some@example.org', 'somebody');

-- name: email_is_at_most_255_long
-- claim: refused 22001
INSERT INTO users (email, username) VALUES (repeat('a', 250) || '@example.org', 'somebody');

-- name: update_moves_updated_at
-- now() is the transaction's own, so the row starts in the past and must end in the present.
-- claim: true
INSERT INTO users (email, username, updated_at) VALUES ('old@example.org', 'oldtimer', '2000-01-01');
UPDATE users SET username = 'newcomer' WHERE email = 'old@example.org' RETURNING updated_at = now();

-- name: profile_needs_a_user
-- claim: refused 23503 by fk_user_profiles_user_id
INSERT INTO user_profiles (user_id) VALUES (-1);

-- name: one_profile_for_each_user
-- claim: refused 23505 by user_profiles_user_id_key
INSERT INTO users (email, username) VALUES ('one@example.org', 'onlyone');
INSERT INTO user_profiles (user_id) SELECT id FROM users WHERE email = 'one@example.org';
INSERT INTO user_profiles (user_id) SELECT id FROM users WHERE email = 'one@example.org';

-- name: profile_user_is_required
-- claim: refused 23502 on user_profiles.user_id
INSERT INTO user_profiles (user_id) VALUES (NULL);

-- name: social_links_are_required
-- claim: refused 23502 on user_profiles.social_links
INSERT INTO users (email, username) VALUES ('soc@example.org', 'social');
INSERT INTO user_profiles (user_id, social_links) SELECT id, NULL FROM users WHERE email = 'soc@example.org';

-- name: preferences_are_required
-- claim: refused 23502 on user_profiles.preferences
INSERT INTO users (email, username) VALUES ('pre@example.org', 'prefers');
INSERT INTO user_profiles (user_id, preferences) SELECT id, NULL FROM users WHERE email = 'pre@example.org';

-- name: profile_defaults_are_empty
-- claim: true
INSERT INTO users (email, username) VALUES ('def@example.org', 'default');
INSERT INTO user_profiles (user_id) SELECT id FROM users WHERE email = 'def@example.org'
RETURNING social_links = '{}' AND preferences = '{}' AND created_at = now();

-- name: profile_defaults_are_now
-- claim: true
INSERT INTO users (email, username) VALUES ('now@example.org', 'punctual');
INSERT INTO user_profiles (user_id) SELECT id FROM users WHERE email = 'now@example.org'
RETURNING updated_at = now() AND updated_at = created_at;

-- name: profile_created_at_is_required
-- claim: refused 23502 on user_profiles.created_at
INSERT INTO users (email, username) VALUES ('cre@example.org', 'created');
INSERT INTO user_profiles (user_id, created_at) SELECT id, NULL FROM users WHERE email = 'cre@example.org';

-- name: profile_updated_at_is_required
-- claim: refused 23502 on user_profiles.updated_at
INSERT INTO users (email, username) VALUES ('upd@example.org', 'updated');
INSERT INTO user_profiles (user_id, updated_at) SELECT id, NULL FROM users WHERE email = 'upd@example.org';

-- name: profile_id_is_always_generated
-- claim: refused 428C9
INSERT INTO users (email, username) VALUES ('idp@example.org', 'chooser');
INSERT INTO user_profiles (id, user_id) SELECT -1, id FROM users WHERE email = 'idp@example.org';

-- name: profile_id_is_unique
-- claim: refused 23505 by user_profiles_pkey
INSERT INTO users (email, username) VALUES ('one@example.org', 'first'), ('two@example.org', 'second');
INSERT INTO user_profiles (id, user_id) OVERRIDING SYSTEM VALUE
SELECT -1, id FROM users WHERE email IN ('one@example.org', 'two@example.org');

-- name: preferences_are_indexed
-- No query reads them yet: the catalog is all that can tell.
-- claim: true
SELECT pg_get_indexdef('idx_user_profiles_preferences'::regclass) LIKE '% USING gin (preferences)';

-- name: users_of_a_name_are_indexed_newest_first
-- by_username gives one name, which an index in either direction serves; a list of names wants this one.
-- claim: true
SELECT pg_get_indexdef('idx_users_search'::regclass) LIKE '% (username, created_at DESC)';

-- name: profile_goes_with_its_user
-- claim: true
INSERT INTO users (email, username) VALUES ('gone@example.org', 'leaving');
INSERT INTO user_profiles (user_id) SELECT id FROM users WHERE email = 'gone@example.org';
DELETE FROM users WHERE email = 'gone@example.org';
SELECT count(*) = 0 FROM user_profiles AS p WHERE NOT EXISTS (SELECT 1 FROM users AS u WHERE u.id = p.user_id);

-- name: profile_update_moves_updated_at
-- claim: true
INSERT INTO users (email, username) VALUES ('bio@example.org', 'writer');
INSERT INTO user_profiles (user_id, updated_at) SELECT id, '2000-01-01' FROM users WHERE email = 'bio@example.org';
UPDATE user_profiles AS p SET bio = 'born' FROM users AS u
WHERE u.id = p.user_id AND u.email = 'bio@example.org' RETURNING p.updated_at = now();
