CREATE TABLE customers (
    id bigserial PRIMARY KEY,
    email varchar(254) NOT NULL,
    password_hash char(60) NOT NULL CHECK (password_hash LIKE '$2_$%'),
    birth_date date CHECK (birth_date > DATE '1900-01-01' AND birth_date < CURRENT_DATE),
    deleted_at timestamptz
);
CREATE UNIQUE INDEX customers_live_email ON customers (lower(email)) WHERE deleted_at IS NULL;
CREATE TABLE products (
    sku varchar(20) PRIMARY KEY CHECK (sku ~ '^[A-Z]{2,4}-[0-9]{3,6}$'),
    name text NOT NULL,
    price numeric(10,2) NOT NULL CHECK (price > 0),
    sale_price numeric(10,2),
    stock int NOT NULL DEFAULT 0,
    weight_g int CHECK (weight_g BETWEEN 1 AND 50000),
    attributes jsonb,
    CONSTRAINT products_sale CHECK (sale_price IS NULL OR (sale_price > 0 AND sale_price < price)),
    CONSTRAINT products_stock CHECK (stock >= 0)
);
CREATE TABLE addresses (
    id bigserial PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers ON DELETE CASCADE,
    country char(2) NOT NULL CHECK (country = upper(country)),
    zip text NOT NULL,
    CHECK (country <> 'US' OR zip ~ '^\d{5}(-\d{4})?$')
);
CREATE TABLE orders (
    id bigserial PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers ON DELETE RESTRICT,
    ship_to bigint REFERENCES addresses,
    status text NOT NULL DEFAULT 'cart',
    placed_at timestamptz,
    shipped_at timestamptz,
    total numeric(12,2) NOT NULL DEFAULT 0 CHECK (total >= 0),
    CONSTRAINT orders_status CHECK (status IN ('cart', 'placed', 'shipped', 'returned')),
    CONSTRAINT orders_placed CHECK (status = 'cart' OR (placed_at IS NOT NULL AND ship_to IS NOT NULL)),
    CONSTRAINT orders_shipped CHECK (shipped_at >= placed_at)
);
CREATE TABLE order_items (
    order_id bigint REFERENCES orders ON DELETE CASCADE,
    sku varchar(20) REFERENCES products ON UPDATE CASCADE,
    quantity int NOT NULL CHECK (quantity > 0 AND quantity <= 99),
    unit_price numeric(10,2) NOT NULL,
    discount numeric(4,3) NOT NULL DEFAULT 0 CHECK (discount >= 0 AND discount < 1),
    line_total numeric(12,2) GENERATED ALWAYS AS (round(quantity * unit_price * (1 - discount), 2)) STORED,
    PRIMARY KEY (order_id, sku)
);
CREATE TABLE coupons (
    code text PRIMARY KEY CHECK (code = upper(code) AND length(code) BETWEEN 4 AND 16),
    percent int CHECK (percent BETWEEN 1 AND 100),
    amount numeric CHECK (amount > 0),
    valid_from date NOT NULL,
    valid_to date NOT NULL,
    uses int NOT NULL DEFAULT 0,
    max_uses int NOT NULL DEFAULT 1,
    CHECK ((percent IS NULL) <> (amount IS NULL)),
    CHECK (valid_to >= valid_from AND valid_to - valid_from <= 366),
    CHECK (uses <= max_uses)
);
