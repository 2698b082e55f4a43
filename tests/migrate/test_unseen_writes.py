"""What no text of a migration shows: rows that a function writes, stamps without a trigger, digits of floats, sequences."""

from __future__ import annotations

import pytest
from tests.migrate.conftest import Found, Prove, Step

BASE = """
CREATE TABLE t (id int PRIMARY KEY, email text, n int);
CREATE TABLE part (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE);
CREATE TABLE q (id int PRIMARY KEY, seen timestamptz, f float8, g float4);
CREATE TABLE s (id int PRIMARY KEY, v text, seen timestamptz);
CREATE FUNCTION purge() RETURNS void LANGUAGE sql AS 'DELETE FROM public.t WHERE n < 0';
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen := now(); RETURN NEW; END $$;
CREATE TRIGGER s_stamp BEFORE UPDATE ON s FOR EACH ROW EXECUTE FUNCTION stamp();
"""
_EXECUTE = "DO $$ BEGIN EXECUTE 'UPDATE ' || quote_ident('t') || ' SET email = %s'; END $$;"
#: name: (up, down, what the message says)
LOSSES: dict[str, tuple[str, str, str]] = {
    "a text that is put together": (_EXECUTE % "lower(email)", "SELECT 1;", "email was"),
    "a function that deletes": ("SELECT purge();", "SELECT 1;", "t lost the row"),
    "a stamp without a trigger": ("UPDATE q SET seen = now();", "SELECT 1;", "seen was"),
    "digits of a float8": ("ALTER TABLE q ALTER f TYPE numeric;", "ALTER TABLE q ALTER f TYPE float8;", "f was '0.30000000000000004'"),
    "digits of a float4": ("ALTER TABLE q ALTER g TYPE numeric;", "ALTER TABLE q ALTER g TYPE float4;", "g was '0.30000004'"),
}  # fmt: skip
#: name: (up, down)
GOOD: dict[str, tuple[str, str]] = {
    "a text and its way back": (_EXECUTE % "email || ''x''", _EXECUTE % "left(email, -1)"),
    "a stamp by a trigger": ("UPDATE s SET v = v || 'x';", "UPDATE s SET v = left(v, -1);"),
    "floats as texts": ("ALTER TABLE q ALTER f TYPE text, ALTER g TYPE text;", "ALTER TABLE q ALTER f TYPE float8 USING f::float8, ALTER g TYPE float4 USING g::float4;"),
    "a plain seed": ("INSERT INTO t VALUES (77, 'x', 1);", "DELETE FROM t WHERE id = 77;"),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(prove: Prove) -> Found:
    steps: list[Step] = [(name, up, down) for name, (up, down, _) in LOSSES.items()]
    return prove(steps + [(name, up, down) for name, (up, down) in GOOD.items()], BASE)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_seen(name: str, found: Found) -> None:
    verdict = found[name, "migrate.populated"]
    assert (verdict.verdict, verdict.evidence["kind"]) == ("refuted", "lossy"), verdict
    assert LOSSES[name][2] in verdict.message


@pytest.mark.parametrize("name", GOOD)
def test_what_loses_nothing_is_quiet(name: str, found: Found) -> None:
    mine = [v for (label, check), v in found.items() if label == name and check != "migrate.written"]
    assert [v for v in mine if v.verdict in ("refuted", "unproved")] == []
