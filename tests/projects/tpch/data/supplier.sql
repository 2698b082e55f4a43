INSERT INTO supplier
SELECT n, 'Supplier#' || n, '', n % 25, 10 + n % 25 || '-', n * 7 % 1000, CASE n % 50 WHEN 0 THEN 'Customer Complaints' ELSE '' END
FROM generate_series(1, :rows) AS n
