INSERT INTO book (id, isbn, title, price, shelf, added)
SELECT n, lpad((n + :seed)::text, 13, '0'), 'Book ' || n, (n % 5000) / 10.0,
       (CASE n % 20 WHEN 0 THEN 'archive' WHEN 1 THEN 'science' ELSE 'fiction' END)::shelf, (:now::date - (n % 700)::int)
FROM generate_series(1, :rows) AS n
