CREATE SCHEMA auth;
CREATE TYPE auth.factor AS ENUM ('totp', 'webauthn', 'phone');
CREATE TABLE auth.users (
    id uuid NOT NULL PRIMARY KEY,
    email varchar(255),
    phone text UNIQUE,
    encrypted_password varchar(255),
    email_change_confirm_status smallint DEFAULT 0 CHECK (email_change_confirm_status >= 0 AND email_change_confirm_status <= 2),
    email_confirmed_at timestamptz,
    phone_confirmed_at timestamptz,
    confirmed_at timestamptz GENERATED ALWAYS AS (LEAST(email_confirmed_at, phone_confirmed_at)) STORED,
    is_sso_user boolean NOT NULL DEFAULT false,
    banned_until timestamptz
);
CREATE UNIQUE INDEX users_email_partial_key ON auth.users (email) WHERE is_sso_user = false;
CREATE TABLE auth.sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    created_at timestamptz,
    tag text,
    ip inet,
    oauth_client_id uuid
);
CREATE TABLE auth.refresh_tokens (
    id bigserial PRIMARY KEY,
    token varchar(255) UNIQUE,
    parent varchar(255),
    revoked boolean,
    session_id uuid REFERENCES auth.sessions ON DELETE CASCADE
);
CREATE TABLE auth.mfa_factors (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES auth.users ON DELETE CASCADE,
    friendly_name text,
    factor_type auth.factor NOT NULL,
    status text NOT NULL CHECK (status IN ('unverified', 'verified')),
    created_at timestamptz NOT NULL,
    secret text,
    CHECK (factor_type <> 'totp' OR secret IS NOT NULL)
);
CREATE UNIQUE INDEX mfa_friendly_name ON auth.mfa_factors (friendly_name, user_id) WHERE TRIM(BOTH FROM friendly_name) <> '';
CREATE TABLE auth.sso_providers (
    id uuid PRIMARY KEY,
    resource_id text CONSTRAINT "resource_id not empty" CHECK (resource_id = NULL OR char_length(resource_id) > 0),
    metadata_url text CONSTRAINT "metadata_url not empty" CHECK (metadata_url = NULL OR char_length(metadata_url) > 0)
);
CREATE TABLE auth.sso_domains (
    id uuid PRIMARY KEY,
    sso_provider_id uuid NOT NULL REFERENCES auth.sso_providers ON DELETE CASCADE,
    domain text NOT NULL CONSTRAINT "domain not empty" CHECK (char_length(domain) > 0)
);
CREATE UNIQUE INDEX sso_domains_domain ON auth.sso_domains (lower(domain));
