-- The analysed body of the function that was made a moment ago.
SELECT p.prosqlbody::text FROM pg_proc p WHERE p.proname = 'dbtrust_contract' AND p.pronamespace = pg_my_temp_schema();
