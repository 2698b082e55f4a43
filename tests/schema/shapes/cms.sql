-- extensions: hstore
CREATE TABLE languages (code varchar(5) PRIMARY KEY CHECK (code ~ '^[a-z]{2}(-[A-Z]{2})?$'), name text NOT NULL, fallback varchar(5) REFERENCES languages);
CREATE TABLE media (
    id serial PRIMARY KEY,
    file_name text NOT NULL CHECK (file_name !~ '[/\\]'),
    mime text NOT NULL CHECK (mime ~ '^(image|video|audio)/[a-z0-9.+-]+$'),
    bytes bigint NOT NULL CHECK (bytes > 0),
    width int,
    height int,
    checksum bytea NOT NULL UNIQUE CHECK (octet_length(checksum) = 32),
    CHECK (mime NOT LIKE 'image/%' OR (width > 0 AND height > 0))
);
CREATE TABLE pages (
    id serial PRIMARY KEY,
    parent_id int REFERENCES pages ON DELETE RESTRICT,
    language varchar(5) NOT NULL REFERENCES languages ON UPDATE CASCADE,
    translation_of int REFERENCES pages,
    slug varchar(100) NOT NULL CHECK (slug = lower(slug) AND slug NOT LIKE '%/%'),
    template text NOT NULL DEFAULT 'default',
    meta hstore NOT NULL DEFAULT '' CHECK (meta ? 'title' OR meta = ''::hstore),
    publish_at timestamptz,
    unpublish_at timestamptz,
    hero_id int REFERENCES media ON DELETE SET NULL,
    UNIQUE NULLS NOT DISTINCT (parent_id, language, slug),
    UNIQUE (translation_of, language),
    CHECK (unpublish_at > publish_at),
    CHECK (translation_of <> id)
);
CREATE TABLE revisions (
    page_id int NOT NULL REFERENCES pages ON DELETE CASCADE,
    number int NOT NULL CHECK (number >= 1),
    body xml NOT NULL,
    author text NOT NULL,
    is_live boolean NOT NULL DEFAULT false,
    PRIMARY KEY (page_id, number)
);
CREATE UNIQUE INDEX one_live_revision ON revisions (page_id) WHERE is_live;
CREATE TABLE redirects (
    from_path text PRIMARY KEY CHECK (from_path LIKE '/%' AND length(from_path) <= 300),
    to_path text NOT NULL,
    status int NOT NULL DEFAULT 301 CHECK (status IN (301, 302, 307, 308)),
    CHECK (from_path <> to_path)
);
