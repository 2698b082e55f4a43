CREATE TABLE members (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle text NOT NULL CHECK (handle ~ '^[a-z0-9_]{3,20}$'),
    status smallint NOT NULL DEFAULT 0 CHECK (status IN (0, 1, 2)),
    last_seen inet,
    CONSTRAINT members_handle UNIQUE (handle)
);
CREATE TABLE channels (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind "char" NOT NULL CHECK (kind IN ('p', 'd', 'g')),
    name text,
    topic varchar(250),
    CHECK (kind = 'd' OR name IS NOT NULL),
    CHECK (name IS NULL OR (name = lower(name) AND name !~ '\s' AND length(name) <= 80))
);
CREATE UNIQUE INDEX channel_names ON channels (name) WHERE kind <> 'd';
CREATE TABLE memberships (
    channel_id bigint NOT NULL REFERENCES channels ON DELETE CASCADE,
    member_id bigint NOT NULL REFERENCES members ON DELETE CASCADE,
    role text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'moderator', 'owner')),
    muted_until timestamptz,
    PRIMARY KEY (channel_id, member_id)
);
CREATE TABLE messages (
    id bigint NOT NULL,
    channel_id bigint NOT NULL,
    member_id bigint NOT NULL,
    body text NOT NULL CHECK (octet_length(body) <= 4000),
    sent_at timestamptz NOT NULL,
    edited_at timestamptz CHECK (edited_at > sent_at),
    reply_to bigint,
    PRIMARY KEY (channel_id, id),
    FOREIGN KEY (channel_id, member_id) REFERENCES memberships,
    FOREIGN KEY (channel_id, reply_to) REFERENCES messages (channel_id, id)
);
CREATE TABLE reactions (
    channel_id bigint NOT NULL,
    message_id bigint NOT NULL,
    member_id bigint NOT NULL REFERENCES members,
    emoji text NOT NULL CHECK (emoji ~ '^:[a-z0-9_+-]+:$'),
    UNIQUE (channel_id, message_id, member_id, emoji),
    FOREIGN KEY (channel_id, message_id) REFERENCES messages ON DELETE CASCADE
);
CREATE TABLE direct_pairs (
    low bigint NOT NULL REFERENCES members,
    high bigint NOT NULL REFERENCES members,
    channel_id bigint NOT NULL UNIQUE REFERENCES channels,
    PRIMARY KEY (low, high),
    CHECK (low < high)
);
