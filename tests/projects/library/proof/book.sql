-- name: price_below_zero
-- claim: refused 23514 by price_is_fair
INSERT INTO book (id, isbn, title, price, added) VALUES (-1, '1234567890123', 'x', -1, current_date);

-- name: isbn_has_digits
-- claim: refused 23514 by isbn_digits on isbn
INSERT INTO book (id, isbn, title, price, added) VALUES (-1, '123456789012x', 'x', 1, current_date);

-- name: a_loan_needs_a_book
-- claim: refused 23503 by loan_book
INSERT INTO loans.loan (id, book_id, member, due) VALUES (-1, -1, 'm', current_date);

-- name: long_past
-- claim: refused LB001
INSERT INTO loans.loan (id, book_id, member, due) VALUES (-1, 1, 'm', '1999-12-31');

-- name: titles_ignore_case
-- claim: true
INSERT INTO book (id, isbn, title, price, added) VALUES (-1, '1234567890123', 'Dune', 1, current_date);
SELECT count(*) = 1 FROM book WHERE title = 'DUNE';
