INSERT INTO part
SELECT n, (ARRAY['green', 'forest', 'almond', 'navy', 'rose', 'linen', 'khaki', 'plum'])[1 + h % 8] || ' ' || n, 'Manufacturer#' || 1 + h % 5,
    'Brand#' || 1 + h % 5 || 1 + h / 5 % 5,
    (ARRAY['STANDARD', 'SMALL', 'MEDIUM', 'LARGE', 'ECONOMY', 'PROMO'])[1 + h % 6] || ' ' || (ARRAY['ANODIZED', 'BURNISHED', 'PLATED', 'POLISHED', 'BRUSHED'])[1 + h / 6 % 5]
        || ' ' || (ARRAY['TIN', 'NICKEL', 'BRASS', 'STEEL', 'COPPER'])[1 + h / 30 % 5],
    1 + h % 50, (ARRAY['SM', 'LG', 'MED', 'JUMBO', 'WRAP'])[1 + h / 7 % 5] || ' ' || (ARRAY['CASE', 'BOX', 'BAG', 'JAR', 'PKG', 'PACK', 'CAN', 'DRUM'])[1 + h / 11 % 8],
    900 + h % 1000, '' FROM generate_series(1, :rows) AS n, abs(hashint8(n + :seed)) AS h
