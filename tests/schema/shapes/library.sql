CREATE TYPE address AS (street text, city text, zip text);
CREATE TABLE branches (id int PRIMARY KEY, name text NOT NULL UNIQUE, place address NOT NULL CHECK ((place).zip ~ '^[0-9]{5}$'));
CREATE TABLE books (
    isbn char(13) PRIMARY KEY CHECK (isbn ~ '^97[89][0-9]{10}$'),
    title text NOT NULL,
    year int CHECK (year BETWEEN 1450 AND 2100),
    authors text[] NOT NULL CHECK (array_position(authors, NULL) IS NULL AND cardinality(authors) > 0),
    genres text[] NOT NULL DEFAULT '{}' CHECK (genres <@ ARRAY['fiction', 'science', 'history', 'art']),
    pages int CHECK (pages > 0)
);
CREATE TABLE copies (
    barcode bigint PRIMARY KEY,
    isbn char(13) NOT NULL REFERENCES books ON UPDATE CASCADE,
    branch int NOT NULL REFERENCES branches,
    condition text NOT NULL DEFAULT 'good' CHECK (condition = 'new' OR condition = 'good' OR condition = 'worn'),
    withdrawn date
);
CREATE TABLE readers (
    card text PRIMARY KEY CHECK (card ~ '^R[0-9]{6}$'),
    name text NOT NULL,
    joined date NOT NULL,
    expires date GENERATED ALWAYS AS (joined + 365) STORED,
    max_loans int NOT NULL DEFAULT 5 CHECK (max_loans BETWEEN 0 AND 20)
);
CREATE TABLE loans (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    barcode bigint NOT NULL REFERENCES copies,
    card text NOT NULL REFERENCES readers ON DELETE RESTRICT,
    lent date NOT NULL,
    due date NOT NULL,
    returned date,
    fine numeric(6,2) NOT NULL DEFAULT 0,
    CHECK (due > lent),
    CHECK (returned >= lent),
    CHECK (fine >= 0),
    CHECK (fine = 0 OR returned > due)
);
CREATE UNIQUE INDEX one_open_loan ON loans (barcode) WHERE returned IS NULL;
CREATE TABLE holds (
    isbn char(13) NOT NULL REFERENCES books,
    card text NOT NULL REFERENCES readers ON DELETE CASCADE,
    place int NOT NULL CHECK (place > 0),
    PRIMARY KEY (isbn, card),
    CONSTRAINT place_in_line UNIQUE (isbn, place) DEFERRABLE
);
