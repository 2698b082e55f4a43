ALTER TABLE members ADD COLUMN deleted_at timestamptz;
ALTER TABLE members DROP CONSTRAINT members_tenant_email_key;
CREATE UNIQUE INDEX members_tenant_email_live ON members (tenant_id, lower(email)) WHERE deleted_at IS NULL;
