INSERT INTO region
SELECT n - 1, (ARRAY['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'])[n], '' FROM generate_series(1, :rows) AS n
