"""What a server checks at COMMIT: a proof in a transaction that never ends sees it all the same, and no more than that."""

from __future__ import annotations

from tests.migrate.conftest import Prove, Step

BASE = (
    "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2);"
    "CREATE TABLE c (id int PRIMARY KEY, p int CONSTRAINT c_p REFERENCES p DEFERRABLE INITIALLY DEFERRED);"
    "INSERT INTO c VALUES (1, 1);"
    # Of the same name, and not deferrable: SET CONSTRAINTS cannot make this name deferred again.
    "CREATE TABLE q (p int CONSTRAINT q_p REFERENCES p); CREATE TABLE s (p int CONSTRAINT q_p REFERENCES p DEFERRABLE);"
)
CHECKS = ("migrate.up", "migrate.down", "migrate.up_again", "migrate.populated")


def test_what_a_commit_would_refuse_is_refuted_and_what_is_right_at_the_end_is_not(prove: Prove) -> None:
    table = "CREATE TABLE d (id int PRIMARY KEY, p int REFERENCES p DEFERRABLE INITIALLY DEFERRED);"
    steps: list[Step] = [
        ("child first", "INSERT INTO c VALUES (2, 9); INSERT INTO p VALUES (9);", "DELETE FROM p WHERE id = 9; DELETE FROM c WHERE id = 2;"),
        ("then ddl", "INSERT INTO c VALUES (3, 2);", "ALTER TABLE c ADD COLUMN x int; ALTER TABLE c DROP COLUMN x; DELETE FROM c WHERE id = 3;"),
        ("made again", f"{table} INSERT INTO d VALUES (1, 8); INSERT INTO p VALUES (8);", "DROP TABLE d; DELETE FROM p WHERE id = 8;"),
        ("wrong down", "INSERT INTO p VALUES (7);", "DELETE FROM p WHERE id = 7; INSERT INTO c VALUES (7, 7);"),
    ]  # fmt: skip
    found = prove(steps, BASE)
    for name in ("child first", "then ddl", "made again"):
        said = {check: found[name, check] for check in CHECKS}
        assert {v.verdict for v in said.values()} <= {"holds", "not_applicable"}, said
    down = found["wrong down", "migrate.down"]
    assert down.verdict == "refuted" and "23503" in down.message and "c_p" in down.message, down
    assert "at the end of the transaction" in down.message and down.location is not None


def test_an_up_that_a_commit_refuses_is_no_bug_of_ours(prove: Prove) -> None:
    found = prove([("orphan", "INSERT INTO c VALUES (5, 5);", "DELETE FROM c WHERE id = 5;")], BASE)
    up = found["orphan", "migrate.up"]
    assert up.verdict == "refuted" and "23503 foreign_key_violation" in up.message, up


def test_rows_that_wait_for_a_deferred_constraint_do_not_hide_why_the_down_fails(prove: Prove) -> None:
    base = (
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, amt int CONSTRAINT amt_pos CHECK (amt > 0),"
        " p int REFERENCES p ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);"
    )
    step = (
        "freed",
        "ALTER TABLE c DROP CONSTRAINT amt_pos;",
        "ALTER TABLE c ADD CONSTRAINT amt_pos CHECK (amt > 0);",
    )
    written = prove([step], base)["freed", "migrate.written"]
    assert written.verdict == "refuted" and "23514" in written.message, written
