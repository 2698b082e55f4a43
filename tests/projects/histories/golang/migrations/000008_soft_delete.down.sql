DROP INDEX members_tenant_email_live;
DELETE FROM members WHERE deleted_at IS NOT NULL;
DELETE FROM members a USING members b WHERE a.tenant_id = b.tenant_id AND a.email = b.email AND a.id > b.id;
ALTER TABLE members ADD CONSTRAINT members_tenant_email_key UNIQUE (tenant_id, email);
ALTER TABLE members DROP COLUMN deleted_at;
-- lossy: table members
