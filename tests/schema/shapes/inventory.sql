CREATE SCHEMA inv;
SET search_path = inv;
CREATE TABLE warehouses (code text PRIMARY KEY CHECK (code ~ '^W\d{2}$'), max_m3 numeric NOT NULL CHECK (max_m3 > 0));
CREATE TABLE bins (
    warehouse text NOT NULL REFERENCES warehouses ON UPDATE CASCADE ON DELETE RESTRICT,
    aisle "char" NOT NULL CHECK (aisle BETWEEN 'A' AND 'Z'),
    shelf smallint NOT NULL CHECK (shelf BETWEEN 1 AND 60),
    blocked boolean NOT NULL DEFAULT false,
    PRIMARY KEY (warehouse, aisle, shelf)
);
CREATE TABLE items (
    gtin varchar(14) PRIMARY KEY CHECK (gtin ~ '^[0-9]{8}$|^[0-9]{12,14}$'),
    description text NOT NULL,
    hazardous boolean NOT NULL DEFAULT false,
    un_number char(4) CHECK (un_number ~ '^[0-9]{4}$'),
    CHECK (NOT hazardous OR un_number IS NOT NULL)
);
CREATE TABLE lots (
    gtin varchar(14) NOT NULL REFERENCES items,
    lot text NOT NULL,
    produced date NOT NULL,
    expires date NOT NULL,
    PRIMARY KEY (gtin, lot),
    CHECK (expires > produced + 30)
);
CREATE TABLE stock (
    warehouse text NOT NULL,
    aisle "char" NOT NULL,
    shelf smallint NOT NULL,
    gtin varchar(14) NOT NULL,
    lot text NOT NULL,
    on_hand int NOT NULL CHECK (on_hand >= 0),
    reserved int NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    available int GENERATED ALWAYS AS (on_hand - reserved) STORED CHECK (available >= 0),
    PRIMARY KEY (warehouse, aisle, shelf, gtin, lot),
    FOREIGN KEY (warehouse, aisle, shelf) REFERENCES bins,
    FOREIGN KEY (gtin, lot) REFERENCES lots (gtin, lot)
);
CREATE TABLE movements (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    gtin varchar(14) NOT NULL REFERENCES items,
    quantity int NOT NULL,
    from_warehouse text REFERENCES warehouses,
    to_warehouse text REFERENCES warehouses,
    CONSTRAINT movement_kind CHECK (kind IN ('receive', 'ship', 'move', 'count')),
    CONSTRAINT movement_ends CHECK (CASE kind
        WHEN 'receive' THEN from_warehouse IS NULL AND to_warehouse IS NOT NULL
        WHEN 'ship' THEN from_warehouse IS NOT NULL AND to_warehouse IS NULL
        WHEN 'move' THEN from_warehouse IS NOT NULL AND to_warehouse IS NOT NULL AND from_warehouse <> to_warehouse
        ELSE true END),
    CONSTRAINT movement_sign CHECK (kind = 'count' OR quantity > 0)
);
