-- lossy: column members.role
ALTER TABLE members ALTER COLUMN role DROP DEFAULT;
ALTER TABLE members ALTER COLUMN role TYPE text USING role::text;
ALTER TABLE members ALTER COLUMN role SET DEFAULT 'member';
DROP TYPE member_role;
