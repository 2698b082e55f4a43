INSERT INTO small SELECT n, 'label ' || n FROM generate_series(1, :rows) AS n
