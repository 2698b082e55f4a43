"""The schema and row types that the contract cases of this folder share."""

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN email AS text NOT NULL CHECK (VALUE LIKE '%@%');
CREATE DOMAIN nick AS text CHECK (length(VALUE) < 20);
CREATE TABLE author (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    address email,
    nickname nick,
    born date,
    code text UNIQUE
);
CREATE TABLE post (
    id int PRIMARY KEY,
    author_id bigint REFERENCES author (id),
    editor_id bigint NOT NULL REFERENCES author (id),
    title text NOT NULL,
    body text,
    price numeric(10, 2) NOT NULL,
    rating float8,
    published boolean NOT NULL DEFAULT false,
    created timestamptz NOT NULL DEFAULT now(),
    feeling mood NOT NULL DEFAULT 'ok',
    feelings mood[] NOT NULL DEFAULT '{}',
    tags text[],
    extra jsonb NOT NULL DEFAULT '{}',
    span int4range,
    place pair,
    net inet,
    title_length int GENERATED ALWAYS AS (length(title)) STORED,
    body_length int GENERATED ALWAYS AS (length(body)) STORED,
    slug text NOT NULL,
    token uuid,
    status text NOT NULL CHECK (status IN ('draft', 'live', 'gone')),
    checked text CHECK (checked IS NOT NULL)
);
CREATE UNIQUE INDEX post_slug_live ON post (slug) WHERE status = 'live';
CREATE UNIQUE INDEX post_title_lower ON post (lower(title), editor_id);
CREATE TABLE comment (
    post_id int NOT NULL REFERENCES post (id) ON DELETE CASCADE,
    number int NOT NULL,
    words text NOT NULL,
    likes int,
    PRIMARY KEY (post_id, number)
);
CREATE TABLE tag (word text PRIMARY KEY);
CREATE TABLE post_tag (post_id int REFERENCES post, word text REFERENCES tag, PRIMARY KEY (post_id, word));
CREATE TABLE node (id int PRIMARY KEY, parent_id int REFERENCES node);
CREATE TABLE stamped (id int PRIMARY KEY, note text, at timestamptz DEFAULT now());
CREATE TABLE watched (id int PRIMARY KEY, note text DEFAULT 'x');
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := NULL; RETURN NEW; END $$;
CREATE TRIGGER watching BEFORE INSERT OR UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION watch();
CREATE TABLE late (id int, n int, CONSTRAINT late_key UNIQUE (n) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE shelf (id int NOT NULL, kind text NOT NULL, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE shelf_a PARTITION OF shelf FOR VALUES IN ('a');
CREATE TABLE shelf_b PARTITION OF shelf FOR VALUES IN ('b', 'c');
CREATE TABLE sink (id int, kind text NOT NULL, note text) PARTITION BY LIST (kind);
CREATE TABLE sink_a PARTITION OF sink FOR VALUES IN ('a');
CREATE TRIGGER watching BEFORE INSERT ON sink_a FOR EACH ROW EXECUTE FUNCTION watch();
CREATE TABLE base (id int PRIMARY KEY);
CREATE TABLE derived (more text) INHERITS (base);
CREATE VIEW post_author AS
    SELECT p.id, p.title, a.name AS author FROM post p LEFT JOIN author a ON a.id = p.author_id;
CREATE VIEW counts AS SELECT status, count(*) AS n, max(price) AS dearest FROM post GROUP BY status;
CREATE MATERIALIZED VIEW names AS SELECT id, name FROM author;
CREATE FUNCTION maybe(n int) RETURNS int LANGUAGE sql STRICT IMMUTABLE AS $$ SELECT CASE WHEN n > 0 THEN n END $$;
CREATE COLLATION ci (provider = libc, locale = 'C');
"""

MODULE = """
from __future__ import annotations
import datetime, decimal, enum, ipaddress, uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple, NewType, TypedDict
from psycopg.types.range import Range
from pydantic import BaseModel, Field
from dbtrust import Affected, SqlQueries

class Mood(enum.Enum):
    sad = "sad"
    ok = "ok"
    happy = "happy"

class Short(enum.Enum):
    sad = "sad"

PostId = NewType("PostId", int)

@dataclass(frozen=True)
class Title:
    id: int
    title: str

@dataclass
class Noted:
    id: int
    body: str

@dataclass
class MaybeNoted:
    id: int
    body: str | None

@dataclass
class Defaulted:
    id: int
    title: str
    note: str = "none"

@dataclass
class WithAuthor:
    id: int
    author: str

@dataclass
class WithMaybeAuthor:
    id: int
    author: str | None

class TitleModel(BaseModel):
    id: int
    title: str

class Priced(BaseModel):
    id: int
    price: float

class PricedDecimal(BaseModel):
    id: int
    price: Decimal

class Aliased(BaseModel):
    key: int = Field(alias="id")
    title: str

class WrongModel(BaseModel):
    id: uuid.UUID
    title: str

class StrictModel(BaseModel, extra="forbid"):
    id: int

class TitleTuple(NamedTuple):
    id: int
    title: str

class TitleDict(TypedDict):
    id: int
    title: str

class Counted(TypedDict):
    status: str
    n: int

@dataclass
class Pricy:
    id: int
    price: float

"""
