CREATE TYPE member_role AS ENUM ('owner', 'admin', 'member');
ALTER TABLE members ALTER COLUMN role DROP DEFAULT;
ALTER TABLE members ALTER COLUMN role TYPE member_role USING (CASE WHEN role IN ('owner','admin','member') THEN role::member_role ELSE 'member' END);
ALTER TABLE members ALTER COLUMN role SET DEFAULT 'member';
