CREATE TABLE players (
    id bigint PRIMARY KEY,
    nick text NOT NULL,
    rating int NOT NULL DEFAULT 1200 CHECK (rating BETWEEN 0 AND 4000),
    coins bigint NOT NULL DEFAULT 0 CHECK (coins >= 0),
    inventory int[] NOT NULL DEFAULT '{}' CHECK (cardinality(inventory) <= 64 AND 0 < ALL (inventory))
);
CREATE UNIQUE INDEX players_nick ON players (upper(nick));
CREATE TABLE matches (
    id bigint PRIMARY KEY,
    white bigint NOT NULL REFERENCES players,
    black bigint NOT NULL REFERENCES players,
    result text CHECK (result IN ('1-0', '0-1', '1/2-1/2')),
    started timestamptz NOT NULL,
    ended timestamptz,
    moves int NOT NULL DEFAULT 0 CHECK (moves >= 0 AND moves < 600),
    time_control int4range NOT NULL CHECK (lower(time_control) >= 0 AND upper(time_control) <= 180),
    CHECK (white <> black),
    CHECK ((result IS NULL) = (ended IS NULL)),
    CHECK (ended > started)
);
CREATE TABLE tournaments (
    id int PRIMARY KEY,
    name text NOT NULL,
    rounds int NOT NULL CHECK (rounds > 0),
    entry_fee numeric(8,2) NOT NULL DEFAULT 0,
    prize_split numeric[] NOT NULL CHECK (cardinality(prize_split) BETWEEN 1 AND 10),
    state smallint NOT NULL DEFAULT 0 CHECK (state = 0 OR state = 1 OR state = 2),
    winner bigint REFERENCES players,
    CHECK (winner IS NULL OR state = 2),
    CHECK (entry_fee >= 0)
);
CREATE TABLE entries (
    tournament int NOT NULL REFERENCES tournaments ON DELETE CASCADE,
    player bigint NOT NULL REFERENCES players,
    seed int NOT NULL CHECK (seed > 0),
    score numeric(4,1) NOT NULL DEFAULT 0 CHECK (score >= 0 AND mod(score * 10, 5) = 0),
    PRIMARY KEY (tournament, player),
    UNIQUE (tournament, seed) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE pairings (
    tournament int NOT NULL,
    round int NOT NULL CHECK (round > 0),
    board int NOT NULL CHECK (board > 0),
    white bigint NOT NULL,
    black bigint,
    bye boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tournament, round, board),
    UNIQUE (tournament, round, white),
    FOREIGN KEY (tournament, white) REFERENCES entries,
    FOREIGN KEY (tournament, black) REFERENCES entries (tournament, player),
    CHECK (bye = (black IS NULL)),
    CHECK (white IS DISTINCT FROM black)
);
