CREATE TABLE author (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL,
    joined timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX author_email ON author (email);
CREATE TABLE post (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    author_id bigint NOT NULL REFERENCES author,
    title text NOT NULL,
    written timestamptz NOT NULL
);
CREATE INDEX post_author_written ON post (author_id, written);
