CREATE TABLE currencies (code char(3) PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'), decimals int NOT NULL CHECK (decimals IN (0, 2, 3)));
CREATE TABLE bank_accounts (
    iban varchar(34) PRIMARY KEY CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
    currency char(3) NOT NULL REFERENCES currencies,
    balance bigint NOT NULL DEFAULT 0,
    overdraft bigint NOT NULL DEFAULT 0 CHECK (overdraft >= 0),
    opened_on date NOT NULL DEFAULT CURRENT_DATE,
    closed_on date,
    CONSTRAINT not_below_overdraft CHECK (balance >= -overdraft),
    CONSTRAINT closed_empty CHECK (closed_on IS NULL OR balance = 0),
    UNIQUE (iban, currency)
);
CREATE TABLE transfers (
    id uuid PRIMARY KEY,
    idempotency_key text NOT NULL UNIQUE CHECK (length(idempotency_key) >= 16),
    debit_iban varchar(34) NOT NULL,
    credit_iban varchar(34) NOT NULL,
    currency char(3) NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0 AND amount <= 1000000000),
    requested_at timestamptz NOT NULL,
    settled_at timestamptz,
    failed_at timestamptz,
    failure text,
    FOREIGN KEY (debit_iban, currency) REFERENCES bank_accounts (iban, currency),
    FOREIGN KEY (credit_iban, currency) REFERENCES bank_accounts (iban, currency),
    CONSTRAINT two_accounts CHECK (debit_iban <> credit_iban),
    CONSTRAINT one_end CHECK (num_nonnulls(settled_at, failed_at) <= 1),
    CONSTRAINT failure_told CHECK ((failed_at IS NULL) = (failure IS NULL)),
    CONSTRAINT settled_later CHECK (settled_at >= requested_at)
);
CREATE TABLE cards (
    pan_last4 char(4) NOT NULL CHECK (pan_last4 ~ '^\d{4}$'),
    token uuid PRIMARY KEY,
    iban varchar(34) NOT NULL REFERENCES bank_accounts ON DELETE CASCADE,
    exp_month int NOT NULL CHECK (exp_month BETWEEN 1 AND 12),
    exp_year int NOT NULL CHECK (exp_year BETWEEN 2000 AND 2099),
    daily_limit int CHECK (daily_limit > 0),
    blocked boolean NOT NULL DEFAULT false,
    block_reason text CHECK (block_reason IN ('lost', 'stolen', 'fraud')),
    CHECK (blocked OR block_reason IS NULL)
);
CREATE FUNCTION no_negative_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.settled_at IS NOT NULL AND NEW.amount > 500000 THEN
        RAISE EXCEPTION 'large transfers settle by hand' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER large_by_hand BEFORE INSERT OR UPDATE ON transfers FOR EACH ROW EXECUTE FUNCTION no_negative_settlement();
