CREATE TABLE settings (tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE, data jsonb NOT NULL DEFAULT '{}');
INSERT INTO settings (tenant_id) SELECT id FROM tenants;
CREATE INDEX settings_theme ON settings ((data ->> 'theme'));
