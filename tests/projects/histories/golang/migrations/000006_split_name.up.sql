ALTER TABLE members ADD COLUMN full_name text;
UPDATE members SET full_name = split_part(email, '@', 1) WHERE full_name IS NULL;
