CREATE TABLE members (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  tenant_id uuid NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
  email text NOT NULL,
  role text NOT NULL DEFAULT 'member',
  invited_at timestamptz NOT NULL DEFAULT now(),
  joined_at timestamptz,
  CONSTRAINT members_tenant_email_key UNIQUE (tenant_id, email),
  CONSTRAINT members_email_check CHECK (email LIKE '%@%'),
  CONSTRAINT joined_after_invited CHECK (joined_at IS NULL OR joined_at >= invited_at)
);
