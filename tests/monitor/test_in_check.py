"""What needs no production is found by `check` as well, with the place in the project's files."""

from __future__ import annotations

from pathlib import Path

from dbtrust import check
from dbtrust.checks.select import all_rules
from dbtrust.monitor.registry import rules

_SCHEMA = """\
CREATE TABLE nokey (v char(3));
CREATE TABLE t (id int PRIMARY KEY) WITH (autovacuum_enabled = off);
ALTER TABLE t ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;
CREATE POLICY p ON t USING (true);
CREATE SEQUENCE s OWNED BY t.id;
CREATE FUNCTION loose() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN 1; END';
CREATE TABLE parts (id int, v int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (9);
CREATE INDEX waiting ON ONLY parts (v);
"""


def test_check_finds_them(tmp_path: Path, postgres_url: str) -> None:
    (tmp_path / "dbtrust.toml").write_text(
        '[project]\nname = "p"\n[postgres]\nschema = ["s.sql"]\n', encoding="utf-8"
    )
    (tmp_path / "s.sql").write_text(_SCHEMA, encoding="utf-8")
    report = check(tmp_path, only=["postgres"], postgres=postgres_url)
    found = {(f.rule, f.subject): f for f in report.findings}
    assert set(found) == {
        ("table.no_primary_key", "table:nokey"), ("column.type", "column:nokey.v"),
        ("autovacuum.disabled", "table:t"), ("constraint.not_valid", "constraint:t.positive"),
        ("table.row_security", "table:t"), ("sequence.wider_than_column", "sequence:s"),
        ("function.search_path", "function:loose()"), ("table.no_primary_key", "table:parts"),
        ("index.invalid", "index:waiting"),
    }  # fmt: skip
    assert str(found["constraint.not_valid", "constraint:t.positive"].location).startswith("s.sql:3:")
    assert {rule for rule, _ in found} == {rule.id for rule in rules("postgres") if rule.in_check}
    assert not report.errors and all(f.severity != "error" for f in report.findings)


def test_only_takes_their_ids(tmp_path: Path, postgres_url: str) -> None:
    assert "table.no_primary_key" in all_rules()
    (tmp_path / "dbtrust.toml").write_text(
        '[project]\nname = "p"\n[postgres]\nschema = ["s.sql"]\n', encoding="utf-8"
    )
    (tmp_path / "s.sql").write_text(_SCHEMA, encoding="utf-8")
    report = check(tmp_path, only=["column.type"], postgres=postgres_url)
    assert {f.rule for f in report.findings} == {"column.type"} and not report.errors
