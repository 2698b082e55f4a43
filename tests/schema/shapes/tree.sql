-- extensions: ltree
CREATE TABLE categories (
    id int PRIMARY KEY,
    path ltree NOT NULL UNIQUE CHECK (nlevel(path) BETWEEN 1 AND 6),
    label text NOT NULL CHECK (label !~ '[<>]'),
    sort_order int NOT NULL DEFAULT 0 CHECK (sort_order >= 0),
    visible boolean NOT NULL DEFAULT true
);
CREATE TABLE nodes (
    id bigint PRIMARY KEY,
    parent_id bigint REFERENCES nodes ON DELETE CASCADE,
    lft int NOT NULL,
    rgt int NOT NULL,
    depth int NOT NULL DEFAULT 0 CHECK (depth >= 0),
    name text NOT NULL,
    CHECK (lft < rgt),
    CHECK ((parent_id IS NULL) = (depth = 0)),
    UNIQUE (lft) DEFERRABLE INITIALLY DEFERRED,
    UNIQUE (rgt) DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX sibling_names ON nodes (parent_id, lower(name)) NULLS NOT DISTINCT;
CREATE TABLE closure (
    ancestor bigint NOT NULL REFERENCES nodes ON DELETE CASCADE,
    descendant bigint NOT NULL REFERENCES nodes ON DELETE CASCADE,
    distance int NOT NULL,
    PRIMARY KEY (ancestor, descendant),
    CHECK (distance >= 0),
    CHECK ((distance = 0) = (ancestor = descendant))
);
