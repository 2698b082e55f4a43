CREATE TABLE projects (
    key varchar(10) PRIMARY KEY CHECK (key ~ '^[A-Z][A-Z0-9]+$'),
    name text NOT NULL UNIQUE,
    default_assignee int
);
CREATE TABLE accounts (id int PRIMARY KEY, login text NOT NULL UNIQUE CHECK (login !~ '[^a-z0-9.-]' AND length(login) BETWEEN 2 AND 39), active bool NOT NULL DEFAULT true);
ALTER TABLE projects ADD FOREIGN KEY (default_assignee) REFERENCES accounts ON DELETE SET DEFAULT;
CREATE TABLE workflows (
    project varchar(10) NOT NULL REFERENCES projects ON UPDATE CASCADE,
    from_state text NOT NULL,
    to_state text NOT NULL,
    PRIMARY KEY (project, from_state, to_state),
    CHECK (from_state <> to_state)
);
CREATE TABLE issues (
    project varchar(10) NOT NULL REFERENCES projects ON UPDATE CASCADE,
    number int NOT NULL CHECK (number > 0),
    title text NOT NULL CHECK (length(title) BETWEEN 3 AND 200),
    kind text NOT NULL CHECK (kind IN ('bug', 'story', 'epic', 'task')),
    points int CHECK (points IN (1, 2, 3, 5, 8, 13)),
    epic int,
    assignee int REFERENCES accounts,
    opened_at timestamptz NOT NULL,
    resolved_at timestamptz,
    resolution text CHECK (resolution IN ('fixed', 'wontfix', 'duplicate')),
    duplicate_of int,
    PRIMARY KEY (project, number),
    FOREIGN KEY (project, epic) REFERENCES issues (project, number),
    FOREIGN KEY (project, duplicate_of) REFERENCES issues (project, number),
    CONSTRAINT epic_has_no_epic CHECK (kind <> 'epic' OR epic IS NULL),
    CONSTRAINT only_stories_have_points CHECK (points IS NULL OR kind IN ('story', 'bug')),
    CONSTRAINT resolved_together CHECK ((resolved_at IS NULL) = (resolution IS NULL)),
    CONSTRAINT duplicates_name_another CHECK ((resolution = 'duplicate') = (duplicate_of IS NOT NULL) OR resolution IS NULL),
    CONSTRAINT resolved_later CHECK (resolved_at > opened_at)
);
CREATE TABLE links (
    project varchar(10) NOT NULL,
    source int NOT NULL,
    target int NOT NULL,
    kind text NOT NULL,
    PRIMARY KEY (project, source, target, kind),
    FOREIGN KEY (project, source) REFERENCES issues ON DELETE CASCADE ON UPDATE CASCADE,
    FOREIGN KEY (project, target) REFERENCES issues ON DELETE CASCADE ON UPDATE CASCADE,
    CHECK (kind IN ('blocks', 'relates') AND (kind <> 'relates' OR source < target))
);
CREATE TABLE worklogs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project varchar(10) NOT NULL,
    issue int NOT NULL,
    account int NOT NULL REFERENCES accounts ON DELETE RESTRICT,
    day date NOT NULL,
    minutes int NOT NULL CHECK (minutes > 0 AND minutes <= 1440),
    FOREIGN KEY (project, issue) REFERENCES issues ON DELETE CASCADE
);
