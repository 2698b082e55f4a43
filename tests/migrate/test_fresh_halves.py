"""A tool commits between the halves: a transaction that holds both neither refuses more nor lets more through."""

from __future__ import annotations

from tests.migrate.conftest import Prove, Step

BASE = (
    "CREATE SCHEMA app; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);"
    "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE q (id int PRIMARY KEY, e e NOT NULL); INSERT INTO q VALUES (1, 'a');"
)
SMALLER = (
    "UPDATE q SET e = 'a' WHERE e = 'c'; ALTER TYPE e RENAME TO e_old; CREATE TYPE e AS ENUM ('a', 'b');"
    "ALTER TABLE q ALTER e TYPE e USING e::text::e; DROP TYPE e_old;"
)
CHECKS = ("migrate.up", "migrate.down", "migrate.up_again", "migrate.populated")


def test_halves_that_are_right_where_each_is_committed_hold(prove: Prove) -> None:
    steps: list[Step] = [
        ("label", "ALTER TYPE e ADD VALUE 'c';", SMALLER),
        ("temporary", "CREATE TEMP TABLE tmp ON COMMIT DROP AS SELECT id FROM t; ALTER TABLE t ADD le text;", "ALTER TABLE t DROP le;"),
        ("kept", "CREATE TEMP TABLE tmp AS SELECT id FROM t; ALTER TABLE t ADD le text;", "ALTER TABLE t DROP le;"),
    ]  # fmt: skip
    found = prove(steps, BASE)
    for name, _, _ in steps:
        said = {check: found[name, check] for check in CHECKS}
        assert {v.verdict for v in said.values()} <= {"holds", "not_applicable"}, said
    assert found["label", "migrate.written"].verdict != "refuted" or "55P04" not in str(
        found["label", "migrate.written"]
    )


def test_what_the_up_has_set_does_not_help_the_down(prove: Prove) -> None:
    steps: list[Step] = [
        ("local path", "SET LOCAL search_path TO app; CREATE TABLE x (id int PRIMARY KEY);", "DROP TABLE x;"),
        ("path", "SET search_path TO app; CREATE TABLE x (id int PRIMARY KEY);", "DROP TABLE x;"),
        ("temporary", "CREATE TEMP TABLE tmp AS SELECT 1 AS id; ALTER TABLE t ADD n int;", "DROP TABLE tmp; ALTER TABLE t DROP n;"),
        ("setting", "SET my.word = 'yes'; ALTER TABLE t ADD n int;", "ALTER TABLE t DROP n; SELECT 1 / length(current_setting('my.word'));"),
    ]  # fmt: skip
    found = prove(steps, BASE)
    for name, _, _ in steps:
        down = found[name, "migrate.down"]
        assert down.verdict == "refuted", down
    assert "42P01" in found["local path", "migrate.down"].message
