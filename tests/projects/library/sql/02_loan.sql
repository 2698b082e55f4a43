CREATE TABLE loans.loan (
    id bigint PRIMARY KEY,
    book_id integer NOT NULL CONSTRAINT loan_book REFERENCES book (id) DEFERRABLE INITIALLY DEFERRED,
    member text NOT NULL,
    due date NOT NULL,
    returned boolean NOT NULL DEFAULT false
);
CREATE INDEX loan_book_idx ON loans.loan (book_id);
CREATE INDEX loan_open ON loans.loan (due) WHERE NOT returned;
CREATE FUNCTION loans.never_before_today() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.due < DATE '2000-01-01' THEN
        RAISE EXCEPTION 'due date % is long past', NEW.due USING ERRCODE = 'LB001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER due_is_near BEFORE INSERT ON loans.loan FOR EACH ROW EXECUTE FUNCTION loans.never_before_today();
