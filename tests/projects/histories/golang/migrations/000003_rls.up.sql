ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY members_tenant ON members USING (tenant_id = current_setting('app.tenant_id', true)::uuid);
