CREATE SCHEMA stock;
CREATE TABLE item (
    id integer PRIMARY KEY,
    code text NOT NULL,
    place integer NOT NULL,
    price numeric(10, 2) NOT NULL,
    labels text[] NOT NULL DEFAULT '{}',
    about jsonb NOT NULL DEFAULT '{}',
    changed timestamptz NOT NULL
);
CREATE INDEX item_code ON item (code);
CREATE INDEX item_place_price ON item (place, price);
CREATE TABLE stock.shelf (id integer PRIMARY KEY, note text);
