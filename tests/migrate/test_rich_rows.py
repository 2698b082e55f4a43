"""Rows as people have them (fractions, times, odd texts, NULL, twins) show what a change loses that its down does not restore."""

from __future__ import annotations

import pytest
from tests.migrate.conftest import Found, Prove, Step, assert_lossy, assert_quiet, proven_pairs

from dbtrust.model.errors import QueryFileError
from dbtrust.source.migrations import read_scripts

BASE = """
CREATE DOMAIN short AS text CHECK (length(VALUE) < 20);
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE t (
  id int PRIMARY KEY, at timestamptz, price numeric(10, 2), f float8, n numeric, name varchar(30), doc json, mail text,
  ok boolean, fk int REFERENCES p, state text CHECK (state IN ('on', 'off', 'old')), s short, big bigint NOT NULL DEFAULT 0);
CREATE TABLE sess (id int PRIMARY KEY, v text);
CREATE TABLE q (id int PRIMARY KEY, role text, plan text CHECK (plan IN ('free', 'basic', 'pro')), n int NOT NULL DEFAULT 0, slug text UNIQUE);
CREATE TABLE r (name text PRIMARY KEY, v text);
CREATE TABLE a (id int PRIMARY KEY, v text);
CREATE TABLE b (id int PRIMARY KEY, v text);
"""
_ALTER = "ALTER TABLE t ALTER COLUMN "
#: name: (up, down, what the message names)
LOSSES: dict[str, tuple[str, str, str]] = {
    "time of day": (f"{_ALTER}at TYPE date;", f"{_ALTER}at TYPE timestamptz;", "at was"),
    "cents": (f"{_ALTER}price TYPE int;", f"{_ALTER}price TYPE numeric(10, 2);", "price was"),
    "fraction": (f"{_ALTER}f TYPE int;", f"{_ALTER}f TYPE float8;", "f was"),
    "digits": (f"{_ALTER}n TYPE float4;", f"{_ALTER}n TYPE numeric;", "n was"),
    "length": (f"{_ALTER}name TYPE varchar(10) USING left(name, 10);", f"{_ALTER}name TYPE varchar(30);", "name was"),
    "json": (f"{_ALTER}doc TYPE jsonb;", f"{_ALTER}doc TYPE json;", "doc was"),
    "longer than most": ("UPDATE t SET mail = left(mail, 5000) WHERE length(mail) > 5000;", "SELECT 1;", "mail was"),
    "cut at 900": (f"{_ALTER}mail TYPE varchar(900) USING left(mail, 900);", f"{_ALTER}mail TYPE text;", "mail was"),
    "behind a range": ("UPDATE t SET big = big + 5 WHERE big < 100;", "UPDATE t SET big = big - 5 WHERE big < 105;", "big was"),
    "between": (
        "UPDATE t SET big = big + 5 WHERE big BETWEEN 200 AND 300;",
        "UPDATE t SET big = big - 5 WHERE big BETWEEN 205 AND 305;", "big was",
    ),
    "hard blanks": ("UPDATE t SET mail = replace(mail, chr(160), ' ');", "SELECT 1;", "mail was"),
    "accents": ("UPDATE t SET mail = normalize(mail, NFC);", "SELECT 1;", "mail was"),
    "lower": ("UPDATE t SET mail = lower(mail);", "SELECT 1;", "mail was"),
    "btrim": ("UPDATE t SET mail = btrim(mail);", "SELECT 1;", "mail was"),
    "null filled": ("UPDATE t SET mail = '' WHERE mail IS NULL;", "SELECT 1;", "mail was NULL"),
    "null false": (
        f"UPDATE t SET ok = false WHERE ok IS NULL; {_ALTER}ok SET NOT NULL;", f"{_ALTER}ok DROP NOT NULL;", "ok was NULL",
    ),
    "orphans": ("DELETE FROM t WHERE fk IS NULL;", "SELECT 1;", "t lost the row"),
    "twins": (
        "DELETE FROM t a USING t b WHERE a.mail = b.mail AND a.id > b.id; CREATE UNIQUE INDEX t_mail ON t (mail);",
        "DROP INDEX t_mail;", "t lost the row",
    ),
    "matching": ("DELETE FROM t WHERE state = 'old' AND big = 4711;", "SELECT 1;", "t lost the row"),
    "a year of the past": (
        "DELETE FROM t x WHERE x.at BETWEEN now() - interval '2 years' AND now() - interval '1 year';", "SELECT 1;", "t lost the row",
    ),
    "the last minutes": (
        "DELETE FROM t WHERE at > now() - interval '1 hour' AND at < now() - interval '10 minutes';", "SELECT 1;", "t lost the row",
    ),
    "Mondays in May": (
        "DELETE FROM t WHERE extract(dow FROM at) = 1 AND extract(month FROM at) = 5;", "SELECT 1;", "t lost the row",
    ),
    "the months before": (
        "UPDATE t SET big = 0 WHERE date_trunc('month', at) = date_trunc('month', now() - interval '3 months');", "SELECT 1;",
        "big was",
    ),
    "a length": ("DELETE FROM t WHERE length(mail) BETWEEN 33 AND 34;", "SELECT 1;", "t lost the row"),
    "in a block": ("DO $$ BEGIN UPDATE t SET mail = 'y' WHERE mail = 'x'; END $$;", "SELECT 1;", "mail was 'x'"),
    "a table that was there": (
        "CREATE TABLE IF NOT EXISTS sess (id int PRIMARY KEY, v text);", "DROP TABLE sess;", "sess lost the row",
    ),
    "merged": ("UPDATE q SET role = 'member' WHERE role = 'user';", "UPDATE q SET role = 'user' WHERE role = 'member';", "role was 'member' and is 'user'"),
    "merged among allowed ones": ("UPDATE q SET plan = 'basic' WHERE plan = 'free';", "UPDATE q SET plan = 'free' WHERE plan = 'basic';", "plan was 'basic'"),
    "merged numbers": ("UPDATE q SET n = 4712 WHERE n = 4711;", "UPDATE q SET n = 4711 WHERE n = 4712;", "n was '4712'"),
    "merged by cases": (
        "UPDATE q SET role = CASE role WHEN 'w' THEN 'x' WHEN 'y' THEN 'z' ELSE role END;",
        "UPDATE q SET role = CASE role WHEN 'x' THEN 'w' WHEN 'z' THEN 'y' ELSE role END;", "role was 'x'",
    ),
    "merged and unique": ("UPDATE q SET slug = 'new' WHERE slug = 'old';", "UPDATE q SET slug = 'old' WHERE slug = 'new';", "slug was 'new'"),
    "a row that may be there": ("INSERT INTO r VALUES ('admin', 'x') ON CONFLICT DO NOTHING;", "DELETE FROM r WHERE name = 'admin';", "r lost the row (name = 'admin', v = 'x')"),
    "a row that is overwritten": ("INSERT INTO r VALUES ('root', 'x') ON CONFLICT (name) DO UPDATE SET v = 'x';", "DELETE FROM r WHERE name = 'root';", "r lost the row (name = 'root'"),
    "a row looked for first": (
        "INSERT INTO r (v, name) SELECT 'x', 'boss' WHERE NOT EXISTS (SELECT FROM r WHERE name = 'boss');",
        "DELETE FROM r WHERE name = 'boss';", "r lost the row (name = 'boss'",
    ),
    "a row in both": ("INSERT INTO b SELECT * FROM a ON CONFLICT DO NOTHING;", "DELETE FROM b WHERE id IN (SELECT id FROM a);", "b lost the row"),
}  # fmt: skip
#: name: (up, down)
GOOD: dict[str, tuple[str, str]] = {
    "wider": (f"{_ALTER}name TYPE text;", f"{_ALTER}name TYPE varchar(30) USING left(name, 30);"),
    "unique": ("ALTER TABLE t ADD CONSTRAINT t_state UNIQUE (mail);", "ALTER TABLE t DROP CONSTRAINT t_state;"),
    "not null": (f"{_ALTER}mail SET NOT NULL;", f"{_ALTER}mail DROP NOT NULL;"),
    "declared": ("-- lossy: column t.mail\nUPDATE t SET mail = lower(mail);", "SELECT 1;"),
    "counted up": ("UPDATE t SET big = big + 1;", "UPDATE t SET big = big - 1;"),
    "state and back": (
        "ALTER TABLE t DROP CONSTRAINT t_state_check; UPDATE t SET state = 'gone' WHERE state = 'old';"
        "ALTER TABLE t ADD CONSTRAINT t_state_check CHECK (state IN ('on', 'off', 'gone'));",
        "ALTER TABLE t DROP CONSTRAINT t_state_check; UPDATE t SET state = 'old' WHERE state = 'gone';"
        "ALTER TABLE t ADD CONSTRAINT t_state_check CHECK (state IN ('on', 'off', 'old'));",
    ),
    "renamed": ("ALTER TABLE sess RENAME TO sessions;", "ALTER TABLE sessions RENAME TO sess;"),
    "domain": ("ALTER TABLE t ALTER s TYPE text;", "ALTER TABLE t ALTER s TYPE short USING left(s, 19)::short;"),
    "written beside": ("ALTER TABLE q ADD grp text; UPDATE q SET grp = 'member' WHERE role = 'user';", "ALTER TABLE q DROP grp;"),
    "a row that stays": ("INSERT INTO r VALUES ('admin', 'x') ON CONFLICT DO NOTHING;", "SELECT 1;"),
    "a row that was not there": ("INSERT INTO r VALUES ('admin', 'x');", "DELETE FROM r WHERE name = 'admin';"),
    "bigger": (f"{_ALTER}fk TYPE bigint;", f"{_ALTER}fk TYPE int;"),
}  # fmt: skip


def test_a_declaration_with_an_unknown_word_is_an_error_at_its_place() -> None:
    for text, step in {
        "-- lossy: colum users.name": "did you mean -- lossy: column users.name?",
        "-- lossy: the telephone numbers": "did you mean -- lossy: table telephone numbers?",
        "-- lossy: xq": "write -- lossy: column t.c",
        "-- lossy: table": "did you mean -- lossy: table NAME?",
    }.items():
        with pytest.raises(QueryFileError) as caught:
            read_scripts(f"SELECT 1;\n{text}\n", "0001_a.sql")
        assert (caught.value.code, caught.value.location.line) == (2, 2) and step in caught.value.next, (
            caught.value
        )


def test_a_wrong_down_is_refuted_once(prove: Prove) -> None:
    wrong: list[Step] = [("wrong", "CREATE TABLE sess2 (id int);", "SELECT 1;")]
    found = prove(wrong, BASE)
    assert [check for (_, check), v in found.items() if v.verdict == "refuted"] == ["migrate.down"]
    again = found["wrong", "migrate.up_again"]
    assert again.verdict == "unproved" and "not judged: the down is wrong" in again.message


@pytest.fixture(scope="module")
def found(prove: Prove) -> Found:
    return proven_pairs(prove, LOSSES, GOOD, BASE)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_seen(name: str, found: Found) -> None:
    assert_lossy(found[name, "migrate.populated"], LOSSES[name][2])


@pytest.mark.parametrize("name", GOOD)
def test_what_loses_nothing_is_quiet(name: str, found: Found) -> None:
    assert_quiet(found, name)
    assert found[name, "migrate.written"].verdict != "refuted"
