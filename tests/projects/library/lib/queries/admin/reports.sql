-- name: by_price
-- The type that the driver sends decides: a numeric bound keeps the index.
-- claim: uses book_by_price
-- example: low = 10.5, high = 10.9
SELECT title::text FROM book WHERE price BETWEEN :low AND :high;
