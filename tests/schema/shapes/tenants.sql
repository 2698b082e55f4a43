CREATE SCHEMA app;
CREATE TABLE app.tenants (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    subdomain text NOT NULL UNIQUE CHECK (subdomain ~ '^[a-z][a-z0-9-]{1,30}[a-z0-9]$' AND subdomain NOT IN ('www', 'api', 'admin')),
    plan text NOT NULL DEFAULT 'free' CHECK (plan IN ('free', 'team', 'enterprise')),
    seats int NOT NULL DEFAULT 1,
    trial_ends date,
    CHECK (plan = 'enterprise' OR seats <= 50),
    CHECK (seats > 0)
);
CREATE TABLE app.users (
    tenant_id uuid NOT NULL REFERENCES app.tenants ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    email text NOT NULL CHECK (position('@' in email) > 1),
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX users_email ON app.users (tenant_id, lower(email));
CREATE UNIQUE INDEX one_owner ON app.users (tenant_id) WHERE role = 'owner';
CREATE TABLE app.projects (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) <= 100),
    lead_id uuid,
    archived boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id) REFERENCES app.tenants ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, lead_id) REFERENCES app.users (tenant_id, id) ON DELETE SET NULL (lead_id)
);
CREATE TABLE app.tasks (
    tenant_id uuid NOT NULL,
    project_id uuid NOT NULL,
    number int NOT NULL CHECK (number > 0),
    title text NOT NULL,
    estimate interval CHECK (estimate > interval '0' AND estimate < interval '90 days'),
    labels text[] NOT NULL DEFAULT '{}' CHECK (cardinality(labels) <= 10),
    PRIMARY KEY (tenant_id, project_id, number),
    FOREIGN KEY (tenant_id, project_id) REFERENCES app.projects ON DELETE CASCADE
);
ALTER TABLE app.tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tasks ON app.tasks USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
