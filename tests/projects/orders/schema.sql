CREATE TABLE orders (
    id int PRIMARY KEY,
    customer int NOT NULL,
    day date NOT NULL,
    status text NOT NULL,
    amount numeric NOT NULL,
    email text NOT NULL,
    place text COLLATE "C" NOT NULL,
    note text NOT NULL
);
CREATE INDEX orders_day_customer ON orders (day, customer);
CREATE INDEX orders_open ON orders (customer) WHERE status = 'open';
CREATE INDEX orders_lower ON orders (lower(email));
CREATE INDEX orders_note ON orders (note);
CREATE INDEX orders_place ON orders (place COLLATE "POSIX");
CREATE INDEX orders_amount ON orders (amount);

CREATE TABLE small (id int PRIMARY KEY, label text NOT NULL);

CREATE TABLE towns (id int PRIMARY KEY, country int NOT NULL, region int NOT NULL, padding text NOT NULL);
CREATE INDEX towns_country_region ON towns (country, region);
