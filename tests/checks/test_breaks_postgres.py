"""Each thing that a project says of PostgreSQL, broken on the server: refuted, on the right subject."""

from __future__ import annotations

import pytest
from tests.checks.conftest import Checked, Edit, bad

UP = "migrations/01_catalog.sql"
LOANS = "migrations/03_loans.sql"
BOOKS = "lib/queries/books.sql"


def test_the_library_holds(checked: Checked) -> None:
    report = checked(only=["postgres"])
    assert not bad(report)
    assert report.exit_code == 0
    assert report.summary()["unproved"] == 0
    assert report.summary()["holds"] >= 35
    assert report.servers["postgres"] is not None
    assert not report.servers["postgres"].embedded


# (what is changed, check, subject, a piece of the message, file of the location)
CLAIMS: dict[str, tuple[list[Edit], str, str, str, str]] = {
    "dropped index": (
        [(UP, "CREATE INDEX book_by_shelf ON book (shelf, added DESC, id);\n", "")],
        "claim.uses", "query:books.newest", "there is no index book_by_shelf", BOOKS,
    ),
    "swapped definitions": (
        [
            (UP, "INDEX book_by_shelf ON book (shelf, added DESC, id)", "INDEX swap ON book (price)"),
            (UP, "INDEX book_by_price ON book (price)", "INDEX book_by_shelf ON book (price)"),
            (UP, "INDEX swap ON", "INDEX book_by_price ON"),
        ],
        "claim.uses", "query:books.newest", "is not used", BOOKS,
    ),
    "wrong column order": (
        [(UP, "(shelf, added DESC, id)", "(added DESC, shelf, id)")],
        "claim.cost", "query:books.newest", "claimed at most 10", BOOKS,
    ),
    "a column too few": (
        [(UP, "(shelf, added DESC, id)", "(shelf, added DESC)")],
        "claim.index_only", "query:books.shelf_days", "which reads the heap", BOOKS,
    ),
    "another order in the query": (
        [(BOOKS, "WHERE shelf = :wanted ORDER BY added DESC LIMIT :most", "WHERE shelf = :wanted ORDER BY title LIMIT :most")],
        "claim.no_sort", "query:books.newest", "found Sort", BOOKS,
    ),
    "a predicate that the index does not have": (
        [(BOOKS, "WHERE NOT l.returned AND l.due", "WHERE l.due")],
        "claim.no_seq_scan", "query:books.overdue", "found Seq Scan on loan", BOOKS,
    ),
    "a dearer query": (
        [(BOOKS, "cost at most 100000", "cost at most 1")],
        "claim.cost", "query:books.everything", "claimed at most 1", BOOKS,
    ),
    "a float for a numeric": (
        [("lib/queries/admin/reports.sql", "low = 10.5, high = 10.9", "low = 10.5::float8, high = 10.9::float8")],
        "claim.uses", "query:admin.reports.by_price", "book_by_price is not used", "lib/queries/admin/reports.sql",
    ),
    "another generator": (
        [("fill/book.sql", "(CASE n % 20 WHEN 0 THEN 'archive' WHEN 1 THEN 'science' ELSE 'fiction' END)", "('science')"),
         (UP, "(shelf, added DESC, id)", "(shelf, id)")],
        "claim.examines", "query:books.newest", "claimed at most 1", BOOKS,
    ),
    "a sequential scan": (
        [(BOOKS, "SELECT added, id FROM book WHERE shelf = :wanted ORDER BY added DESC, id LIMIT 50",
          "SELECT added, id FROM book WHERE shelf::text = :wanted::text")],
        "claim.no_seq_scan", "query:books.shelf_days", "found Seq Scan on book", BOOKS,
    ),
    "an update that scans": (
        [(BOOKS, "WHERE id = :loan", "WHERE id + 0 = :loan")],
        "claim.uses", "query:books.return_book", "loan_pkey is not used", BOOKS,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
def test_a_broken_claim_is_refuted(checked: Checked, name: str) -> None:
    edits, check, subject, said, file = CLAIMS[name]
    report = checked(*edits, only=["postgres", "claim", "query"])
    found = bad(report)
    assert said in found.get((check, subject), str(found))
    verdict = next(
        v for v in report.verdicts if (v.check, v.subject, v.verdict) == (check, subject, "refuted")
    )
    assert verdict.location.file == file
    assert verdict.location.line and verdict.location.column
    assert verdict.evidence["data"]["rows"]["book"] == 20_000
    assert report.exit_code == 1


PROOFS: dict[str, tuple[list[Edit], str, str]] = {
    "a weaker check": ([(UP, "CHECK (price >= 0)", "CHECK (price >= -5)")], "proof:price_below_zero", "accepted"),
    "a lost domain rule": ([(UP, "'^[0-9]{13}$'", "'^.{13}$'")], "proof:isbn_has_digits", "accepted"),
    "a lost foreign key": (
        [(LOANS, "CONSTRAINT loan_book REFERENCES book (id) DEFERRABLE INITIALLY DEFERRED", "")],
        "proof:a_loan_needs_a_book", "there is no constraint loan_book",
    ),
    "another constraint of that name": (
        [(LOANS, "CONSTRAINT loan_book REFERENCES book (id) DEFERRABLE INITIALLY DEFERRED", "CONSTRAINT loan_book CHECK (book_id <> 0)")],
        "proof:a_loan_needs_a_book", "accepted",
    ),
    "a trigger turned off": (
        [(LOANS, "EXECUTE FUNCTION loans.never_before_today();",
          "EXECUTE FUNCTION loans.never_before_today();\nALTER TABLE loans.loan DISABLE TRIGGER due_is_near;")],
        "proof:long_past", "accepted",
    ),
    "another error of the trigger": ([(LOANS, "ERRCODE = 'LB001'", "ERRCODE = 'LB002'")], "proof:long_past", "LB002"),
    "titles that mind case": ([(UP, "title citext", "title text")], "proof:titles_ignore_case", "found False"),
    "an earlier statement that fails": (
        [("proof/book.sql", "VALUES (-1, '1234567890123', 'Dune'", "VALUES (-1, 'x', 'Dune'")],
        "proof:titles_ignore_case", "statement 1 of 2 must succeed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROOFS)
def test_a_broken_rule_is_refuted(checked: Checked, name: str) -> None:
    edits, subject, said = PROOFS[name]
    loan = ("proof/book.sql", "(-1, 1, 'm', '1999-12-31')", "(-1, 1, 'm', '1999-12-31')")
    found = bad(checked(*edits, loan, only=["postgres", "proof"]))
    assert {subject} == {s for _, s in found}
    assert any(said in message for message in found.values()), found


DOWNS: dict[str, list[Edit]] = {
    "type": [(UP, "DROP TYPE shelf;\n", "")],
    "schema": [(UP, "DROP SCHEMA loans;\n", "")],
    "function": [("migrations/03_loans.down.sql", "DROP FUNCTION loans.never_before_today();\n", "")],
    "index": [("migrations/10_concurrent.sql", "DROP INDEX CONCURRENTLY book_title;", "SELECT 1;")],
}


@pytest.mark.parametrize("kind", DOWNS)
def test_a_forgotten_line_of_a_rollback_is_refuted(checked: Checked, kind: str) -> None:
    report = checked(*DOWNS[kind], only=["postgres", "migrate"])
    refuted = [v for v in report.verdicts if v.verdict == "refuted" and v.check == "migrate.down"]
    assert len(refuted) == 1
    assert f"{kind} " in refuted[0].message
    assert "extra" in refuted[0].message


def test_a_rollback_that_fails_is_refuted_at_its_line(checked: Checked) -> None:
    report = checked(
        ("migrations/03_loans.down.sql", "DROP TABLE loans.loan;", "DROP TABLE loans.lone;"),
        only=["postgres", "migrate"],
    )
    down = next(v for v in report.verdicts if v.check == "migrate.down" and v.subject == "migration:03")
    assert (down.verdict, str(down.location)) == ("refuted", "migrations/03_loans.down.sql:1:1")
    assert "42P01" in down.message
    assert all(v.verdict == "holds" for v in report.verdicts if v.subject == "migration:10")


def test_a_wrong_verification_is_refuted(checked: Checked) -> None:
    report = checked(
        ("migrations/10_concurrent.sql", "(SELECT indisvalid", "(SELECT NOT indisvalid"),
        only=["postgres", "migrate"],
    )
    assert ("migrate.verify", "migration:10") in bad(report)


def test_if_not_exists_over_a_stranger_is_refuted(checked: Checked) -> None:
    """The up says it is done, and the down drops a table that it never made."""
    report = checked((LOANS, "CREATE TABLE loans.loan", "CREATE TABLE IF NOT EXISTS loans.loan"),
                     (LOANS, "CREATE INDEX loan_book_idx ON loans.loan (book_id);\n", ""),
                     (LOANS, "CREATE INDEX loan_open ON loans.loan (due) WHERE NOT returned;\n", ""), only=["postgres", "migrate"])  # fmt: skip
    verdict = next(v for v in report.verdicts if (v.check, v.subject) == ("migrate.drifted", "migration:03"))
    assert verdict.verdict == "refuted"
    assert "table loans.loan" in verdict.message
    assert "drops the object that it did not create" in verdict.message
    assert str(verdict.location) == f"{LOANS}:1:1"


def test_an_index_that_is_only_hidden_is_refuted(checked: Checked) -> None:
    edit = (
        "migrations/10_concurrent.sql",
        "CREATE INDEX CONCURRENTLY",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS",
    )
    verdict = next(
        v
        for v in checked(edit, only=["postgres", "migrate"]).verdicts
        if (v.check, v.subject) == ("migrate.drifted", "migration:10")
    )
    assert verdict.verdict == "refuted"
    assert "index public.book_title" in verdict.message


def test_a_definition_that_if_not_exists_kept_is_refuted(checked: Checked) -> None:
    edit = (
        LOANS,
        "CREATE TABLE loans.loan",
        "CREATE TABLE IF NOT EXISTS book (id integer, other text);\nCREATE TABLE loans.loan",
    )
    verdict = next(
        v
        for v in checked(edit, only=["postgres", "migrate"]).verdicts
        if (v.check, v.subject) == ("migrate.up", "migration:03")
    )
    assert verdict.verdict == "refuted"
    assert "kept another definition" in verdict.message


def test_an_edited_declared_file_is_refuted_by_the_comparison_only(checked: Checked) -> None:
    report = checked(("sql/02_loan.sql", "member text NOT NULL", "member text"), only=["postgres"])
    assert set(bad(report)) == {("schema.matches_migrations", "file:sql/02_loan.sql")}
    assert "column member" in bad(report)["schema.matches_migrations", "file:sql/02_loan.sql"]


def test_a_column_order_is_told(checked: Checked) -> None:
    edit = (
        "sql/02_loan.sql",
        "    member text NOT NULL,\n    due date NOT NULL,",
        "    due date NOT NULL,\n    member text NOT NULL,",
    )
    assert "column order" in str(bad(checked(edit, only=["postgres", "schema"])))


def test_a_file_that_does_not_run_twice_is_refuted(checked: Checked) -> None:
    edit = ("sql/01_book.sql", "CREATE INDEX IF NOT EXISTS book_by_price", "CREATE INDEX book_by_price")
    report = checked(edit, only=["postgres", "schema"])
    found = next(v for v in report.verdicts if v.check == "schema.reapplies")
    assert (found.verdict, found.subject) == ("refuted", "file:sql/01_book.sql")
    assert "42P07" in found.message
    assert found.location.line == 18


def test_a_second_definition_in_the_declared_files_is_refuted(checked: Checked) -> None:
    edit = (
        "sql/02_loan.sql",
        "CREATE TABLE loans.loan",
        "CREATE TABLE IF NOT EXISTS book (id integer);\nCREATE TABLE loans.loan",
    )
    found = bad(checked(edit, only=["postgres", "schema.applies"]))
    assert "kept another definition" in found["schema.applies", "file:sql/02_loan.sql"]


def test_rules_find_what_is_redundant_unindexed_or_wrong(checked: Checked) -> None:
    report = checked(
        (LOANS, "CREATE INDEX loan_book_idx ON loans.loan (book_id);", "CREATE INDEX loan_due ON loans.loan (due);\nCREATE INDEX loan_due_2 ON loans.loan (due, id);"),
        (UP, "'^[0-9]{13}$'", "'^[0-9|x]{13}$'"), only=["postgres", "index", "foreign_key", "constraint"],
    )  # fmt: skip
    found = {(f.rule, f.severity, f.subject) for f in report.findings}
    assert ("index.redundant", "error", "index:loans.loan_due") in found
    assert any(rule == "foreign_key.no_index" and severity == "warning" for rule, severity, _ in found)
    assert any(rule == "constraint.pipe_in_class" for rule, _, _ in found)
    assert all(f.location.file for f in report.findings)
    assert report.exit_code == 1
