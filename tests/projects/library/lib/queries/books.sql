-- @CODE:LIB-001:QUERY | What the desk asks
-- SPEC: SPEC-LIB-001.md

-- name: newest(wanted, most)
-- claim: uses book_by_shelf on book
-- claim: no sort
-- claim: examines at most 1 rows per result on book
-- claim: cost at most 10
-- example science: wanted = 'science'::shelf, most = 10
SELECT id, title::text FROM book WHERE shelf = :wanted ORDER BY added DESC LIMIT :most;

-- name: shelf_days
-- claim: index only on book
-- claim: no seq scan
-- example: wanted = 'archive'::shelf
SELECT added, id FROM book WHERE shelf = :wanted ORDER BY added DESC, id LIMIT 50

-- name: overdue
-- claim: uses loan_open on loans.loan
-- claim: uses book_pkey on public.book
-- claim: no seq scan on loans.loan
-- claim: examines at most 3 rows per result
-- example: today = current_date
SELECT l.member, b.title::text
FROM loans.loan AS l JOIN book AS b ON b.id = l.book_id
WHERE NOT l.returned AND l.due < :today - 25;

-- name: everything
-- claim: cost at most 100000
SELECT count(*) FROM book;

-- name: return_book!
-- claim: uses loan_pkey on loans.loan
-- example: loan = 17
UPDATE loans.loan SET returned = true WHERE id = :loan;
