-- extensions: pgcrypto
CREATE TABLE people (
    id bigint PRIMARY KEY,
    username varchar(30) NOT NULL,
    normalized varchar(30) GENERATED ALWAYS AS (lower(username)) STORED,
    birth_year int CHECK (birth_year BETWEEN 1900 AND 2100),
    website text CHECK (website ~ '^https?://'),
    CONSTRAINT username_shape CHECK (username ~ '^[A-Za-z][A-Za-z0-9._]*$' AND length(username) >= 3 AND username NOT LIKE '%..%'),
    CONSTRAINT username_unique UNIQUE (normalized)
);
CREATE TABLE follows (
    follower bigint NOT NULL REFERENCES people ON DELETE CASCADE,
    followee bigint NOT NULL REFERENCES people ON DELETE CASCADE,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (follower, followee),
    CONSTRAINT not_oneself CHECK (follower <> followee)
);
CREATE TABLE posts (
    id bigint PRIMARY KEY,
    author bigint NOT NULL REFERENCES people ON DELETE CASCADE,
    body text,
    image_url text,
    repost_of bigint REFERENCES posts ON DELETE CASCADE,
    visibility int NOT NULL DEFAULT 0 CHECK (visibility >= 0 AND visibility <= 3),
    like_count int NOT NULL DEFAULT 0 CHECK (like_count >= 0),
    CONSTRAINT something_said CHECK (body IS NOT NULL OR image_url IS NOT NULL OR repost_of IS NOT NULL),
    CONSTRAINT body_length CHECK (char_length(body) <= 280)
);
CREATE TABLE likes (
    post bigint NOT NULL REFERENCES posts ON DELETE CASCADE,
    person bigint NOT NULL REFERENCES people ON DELETE CASCADE,
    PRIMARY KEY (post, person)
);
CREATE TABLE blocks (
    blocker bigint NOT NULL REFERENCES people,
    blocked bigint NOT NULL REFERENCES people,
    reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 200),
    expires timestamptz,
    permanent boolean NOT NULL,
    PRIMARY KEY (blocker, blocked),
    CHECK (blocker <> blocked),
    CHECK (permanent = (expires IS NULL))
);
CREATE FUNCTION count_likes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN UPDATE posts SET like_count = like_count + 1 WHERE id = NEW.post;
    ELSE UPDATE posts SET like_count = like_count - 1 WHERE id = OLD.post; END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER likes_counted AFTER INSERT OR DELETE ON likes FOR EACH ROW EXECUTE FUNCTION count_likes();
