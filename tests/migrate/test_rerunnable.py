"""A mark that says "can be run twice" is held against the rows as well."""

from __future__ import annotations

from tests.migrate.conftest import Prove, Step

BASE = "CREATE TABLE rr (n int); CREATE TABLE t (id int PRIMARY KEY, x text);"
MARK = "-- dbtrust: rerunnable\n"


def test_a_second_run_leaves_the_rows(prove: Prove) -> None:
    alone = "-- migrate:up transaction:false\n"
    steps: list[Step] = [
        ("insert", f"{MARK}INSERT INTO rr VALUES (1);", "DELETE FROM rr WHERE n = 1;"),
        ("update", f"{MARK}UPDATE t SET x = x || '!';", "UPDATE t SET x = left(x, -1);"),
        ("alone", f"{alone}{MARK}UPDATE t SET x = x || '!';", "UPDATE t SET x = left(x, -1);"),
        (
            "good",
            f"{MARK}INSERT INTO t SELECT 77, 'x' WHERE NOT EXISTS (SELECT FROM t WHERE id = 77);",
            "DELETE FROM t WHERE id = 77;",
        ),
        ("good alone", f"{alone}{MARK}UPDATE t SET x = 'y' WHERE id = -1;", "SELECT 1;"),
    ]
    found = prove(steps, BASE)
    for name, said in {"insert": "a row that was not there", "update": "x was", "alone": "x was"}.items():
        up = found[name, "migrate.up"]
        assert up.verdict == "refuted" and "marked rerunnable" in up.message and said in up.message, up
    assert found["good", "migrate.up"].verdict == found["good alone", "migrate.up"].verdict == "holds"
    assert "same rows" in found["good", "migrate.up"].evidence["applied twice"]
