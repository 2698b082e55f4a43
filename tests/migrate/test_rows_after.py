"""Rows that only the new schema allows, and then the down: twelve that fail over them and twelve that are ready for them."""

from __future__ import annotations

import pytest
from tests.migrate.conftest import Found, Prove, Step

#: name: (before, up, a down that is not ready, one that is, what the message names)
TRAPS: dict[str, tuple[str, str, str, str, str]] = {
    "null": (
        "CREATE TABLE a (id int PRIMARY KEY, phone text NOT NULL)",
        "ALTER TABLE a ALTER phone DROP NOT NULL",
        "ALTER TABLE a ALTER phone SET NOT NULL",
        "UPDATE a SET phone = '' WHERE phone IS NULL; ALTER TABLE a ALTER phone SET NOT NULL",
        "a.phone",
    ),
    "longer": (
        "CREATE TABLE b (id int PRIMARY KEY, code varchar(12))",
        "ALTER TABLE b ALTER code TYPE varchar(40)",
        "ALTER TABLE b ALTER code TYPE varchar(12)",
        "ALTER TABLE b ALTER code TYPE varchar(12) USING left(code, 12)",
        "a value of code",
    ),
    "text": (
        "CREATE TABLE c (id int PRIMARY KEY, code varchar(12))",
        "ALTER TABLE c ALTER code TYPE text",
        "ALTER TABLE c ALTER code TYPE varchar(12)",
        "ALTER TABLE c ALTER code TYPE varchar(12) USING left(code, 12)",
        "a value of code",
    ),
    "bigger": (
        "CREATE TABLE d (id int PRIMARY KEY, n int NOT NULL)",
        "ALTER TABLE d ALTER n TYPE bigint",
        "ALTER TABLE d ALTER n TYPE int",
        "ALTER TABLE d ALTER n TYPE int USING least(n, 2147483647)::int",
        "a value of n",
    ),
    "precision": (
        "CREATE TABLE e (id int PRIMARY KEY, price numeric(6, 2))",
        "ALTER TABLE e ALTER price TYPE numeric(12, 2)",
        "ALTER TABLE e ALTER price TYPE numeric(6, 2)",
        "ALTER TABLE e ALTER price TYPE numeric(6, 2) USING CASE WHEN abs(price) < 10000 THEN price WHEN price IS NOT NULL THEN 9999.99 END",
        "a value of price",
    ),
    "unique": (
        "CREATE TABLE f (id int PRIMARY KEY, email text NOT NULL CONSTRAINT f_email UNIQUE)",
        "ALTER TABLE f DROP CONSTRAINT f_email",
        "ALTER TABLE f ADD CONSTRAINT f_email UNIQUE (email)",
        "UPDATE f SET email = email || id WHERE EXISTS (SELECT FROM f o WHERE o.email = f.email AND o.id < f.id);"
        "ALTER TABLE f ADD CONSTRAINT f_email UNIQUE (email)",
        "f_email",
    ),
    "unique index": (
        "CREATE TABLE g (id int PRIMARY KEY, email text); CREATE UNIQUE INDEX g_email ON g (lower(email))",
        "DROP INDEX g_email",
        "CREATE UNIQUE INDEX g_email ON g (lower(email))",
        "UPDATE g SET email = email || id WHERE EXISTS (SELECT FROM g o WHERE lower(o.email) = lower(g.email) AND o.id < g.id);"
        "CREATE UNIQUE INDEX g_email ON g (lower(email))",
        "g_email",
    ),
    "check": (
        "CREATE TABLE h (id int PRIMARY KEY, state text CONSTRAINT h_state CHECK (state IN ('on', 'off')))",
        "ALTER TABLE h DROP CONSTRAINT h_state, ADD CONSTRAINT h_state CHECK (state IN ('on', 'off', 'gone'))",
        "ALTER TABLE h DROP CONSTRAINT h_state, ADD CONSTRAINT h_state CHECK (state IN ('on', 'off'))",
        "ALTER TABLE h DROP CONSTRAINT h_state; UPDATE h SET state = 'off' WHERE state = 'gone';"
        "ALTER TABLE h ADD CONSTRAINT h_state CHECK (state IN ('on', 'off'))",
        "h_state",
    ),
    "orphan": (
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE i (id int PRIMARY KEY, p int CONSTRAINT i_p REFERENCES p)",
        "ALTER TABLE i DROP CONSTRAINT i_p",
        "ALTER TABLE i ADD CONSTRAINT i_p FOREIGN KEY (p) REFERENCES p",
        "UPDATE i SET p = NULL WHERE p NOT IN (SELECT id FROM p); ALTER TABLE i ADD CONSTRAINT i_p FOREIGN KEY (p) REFERENCES p",
        "i_p",
    ),
    "label": (
        "CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE TABLE j (id int PRIMARY KEY, mood mood)",
        "ALTER TYPE mood ADD VALUE 'calm'",
        "ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ('happy', 'sad');"
        "ALTER TABLE j ALTER mood TYPE mood USING mood::text::mood; DROP TYPE mood_old",
        "ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ('happy', 'sad');"
        "ALTER TABLE j ALTER mood TYPE mood USING (CASE mood::text WHEN 'calm' THEN 'happy' ELSE mood::text END)::mood;"
        "DROP TYPE mood_old",
        "new label in mood",
    ),
    "type": (
        "CREATE TABLE k (id int PRIMARY KEY, n int)",
        "ALTER TABLE k ALTER n TYPE text",
        "ALTER TABLE k ALTER n TYPE int USING n::int",
        "ALTER TABLE k ALTER n TYPE int USING CASE WHEN n ~ '^-?[0-9]{1,10}$' THEN CASE WHEN n::bigint BETWEEN -2147483648 AND 2147483647"
        " THEN n::int END END",
        "a value of n",
    ),
    "domain": (
        "CREATE DOMAIN short AS text CONSTRAINT short_check CHECK (length(VALUE) < 20); CREATE TABLE l (id int PRIMARY KEY, s short)",
        "ALTER DOMAIN short DROP CONSTRAINT short_check",
        "ALTER DOMAIN short ADD CONSTRAINT short_check CHECK (length(VALUE) < 20)",
        "UPDATE l SET s = left(s, 19); ALTER DOMAIN short ADD CONSTRAINT short_check CHECK (length(VALUE) < 20)",
        "short_check",
    ),
    "exclusion": (
        "CREATE TABLE m (id int PRIMARY KEY, during int4range, CONSTRAINT m_during EXCLUDE USING gist (during WITH &&))",
        "ALTER TABLE m DROP CONSTRAINT m_during",
        "ALTER TABLE m ADD CONSTRAINT m_during EXCLUDE USING gist (during WITH &&)",
        "UPDATE m SET during = 'empty' WHERE EXISTS (SELECT FROM m o WHERE o.during && m.during AND o.id < m.id);"
        "ALTER TABLE m ADD CONSTRAINT m_during EXCLUDE USING gist (during WITH &&)",
        "m_during",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(prove: Prove) -> Found:
    """Each trap and each twin by itself, on the tables of them all."""
    steps: list[Step] = []
    for name, (_, up, wrong, right, _) in TRAPS.items():
        steps += [(f"{name} trap", up, wrong), (f"{name} twin", up, right)]
    return prove(steps, ";\n".join(before for before, *_ in TRAPS.values()))


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_refuted_and_the_row_shown(name: str, found: Found) -> None:
    verdict = found[f"{name} trap", "migrate.written"]
    assert verdict.verdict == "refuted", verdict
    assert TRAPS[name][4] in verdict.message
    assert verdict.evidence["kind"] == "error" and "INSERT INTO" in verdict.evidence["row"]
    others = [
        v for (label, check), v in found.items() if label == f"{name} trap" and check != "migrate.written"
    ]
    assert [v for v in others if v.verdict == "refuted"] == []


@pytest.mark.parametrize("name", TRAPS)
def test_its_twin_is_silent(name: str, found: Found) -> None:
    mine = {check: v for (label, check), v in found.items() if label == f"{name} twin"}
    assert [v for v in mine.values() if v.verdict in ("refuted", "unproved")] == []
    written = mine["migrate.written"]
    assert written.verdict == "holds" and TRAPS[name][4] in written.message


def test_only_what_does_not_fit_is_told(prove: Prove) -> None:
    base = "CREATE TABLE money (id int PRIMARY KEY, price numeric(10, 2))"
    down = "ALTER TABLE money ALTER price TYPE numeric(10, 2)"
    whole: list[Step] = [("whole", "ALTER TABLE money ALTER price TYPE int", down)]
    verdict = prove(whole, base)["whole", "migrate.written"]
    assert (
        verdict.verdict == "refuted"
        and "a value of price that numeric(10,2) does not hold" in verdict.message
    )
    assert "1000000000" in verdict.evidence["row"]
    wider: list[Step] = [("wider", "ALTER TABLE money ALTER price TYPE numeric(10, 0)", down)]
    kind = prove(wider, "CREATE TABLE money (id int PRIMARY KEY, price numeric(12, 2))")[
        "wider", "migrate.written"
    ]
    assert "and is" not in kind.message
