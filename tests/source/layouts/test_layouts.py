"""Every layout is told by the shape of its files, and read in its own order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dbtrust.model.errors import ConfigError
from dbtrust.source.layouts.reading import Reading
from dbtrust.source.layouts.registry import Found, find_histories

UP, DOWN = "CREATE TABLE a ();\n", "DROP TABLE a;\n"


def tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def found(root: Path, files: Mapping[str, str | bytes]) -> Found:
    return find_histories(tree(root, files))


def only(root: Path, files: Mapping[str, str | bytes]) -> Reading:
    readings = found(root, files).readings
    assert len(readings) == 1, [(r.layout, r.folder) for r in readings]
    return readings[0]


def shape(reading: Reading) -> list[tuple[str, bool]]:
    """(number, has it a down?) in order."""
    return [(r.migration.number, r.migration.down is not None) for r in reading.reads]


GOOSE = "-- +goose Up\nCREATE TABLE a ();\n-- +goose Down\nDROP TABLE a;\n"
CASES: list[tuple[str, dict[str, str | bytes], str, str, list[tuple[str, bool]]]] = [
    ("golang-migrate", {"db/10_b.up.sql": UP, "db/2_a.up.sql": UP, "db/2_a.down.sql": DOWN}, "golang-migrate", "db", [("2", True), ("10", False)]),
    ("sqlx pairs", {"Cargo.toml": "", "migrations/1_a.up.sql": UP, "migrations/1_a.down.sql": DOWN, "migrations/2_b.sql": UP}, "sqlx", "migrations", [("1", True), ("2", False)]),
    ("sqlx simple", {"x/Cargo.toml": "", "x/migrations/1_a.sql": UP}, "sqlx", "x/migrations", [("1", False)]),
    ("diesel", {"migrations/2018-01-01-000000_b/up.sql": UP, "migrations/20170101000000_a/up.sql": UP, "migrations/20170101000000_a/down.sql": DOWN}, "diesel", "migrations", [("20170101000000", True), ("2018-01-01-000000", False)]),
    ("prisma", {"prisma/migrations/20200101_a/migration.sql": UP, "prisma/migrations/migration_lock.toml": 'provider = "postgresql"'}, "Prisma", "prisma/migrations", [("20200101", False)]),
    ("dbmate", {"db/migrations/20200101_a.sql": f"-- migrate:up\n{UP}-- migrate:down\n{DOWN}", "db/schema.sql": UP}, "dbmate", "db/migrations", [("20200101", True)]),
    ("goose", {"sql/002_b.sql": GOOSE, "sql/001_a.sql": "-- +goose Up\nSELECT 1;\n-- +goose Down\n", "sql/README.md": ""}, "goose", "sql", [("001", False), ("002", True)]),
    ("sql-migrate", {"m/2-b.sql": "-- +migrate Up\nSELECT 1;", "m/10-c.sql": "-- +migrate Up\nSELECT 1;\n-- +migrate Down\nSELECT 2;"}, "sql-migrate", "m", [("2", False), ("10", True)]),
    ("flyway", {"db/migration/V1.10__c.sql": UP, "db/migration/V1.9__b.sql": UP, "db/migration/U1.9__b.sql": DOWN, "db/migration/R__v.sql": UP, "db/migration/sub/V2__d.sql": UP}, "Flyway", "db/migration", [("1.9", True), ("1.10", False), ("2", False), ("R__v", False)]),
    ("flyway of sub-folders", {"db/migration/one/V1__a.sql": UP, "db/migration/two/V2__b.sql": UP}, "Flyway", "db/migration", [("1", False), ("2", False)]),
    ("plain beside", {"m/001_a.sql": UP, "m/001_a_rollback.sql": DOWN, "m/002_b.sql": UP, "m/002_b.rollback.sql": DOWN}, "plain", "m", [("001", True), ("002", True)]),
    ("plain folder", {"m/1-a.sql": UP, "m/rollback/1-a.sql": DOWN}, "plain", "m", [("1", True)]),
    ("plain up and down", {"m/up/1.sql": UP, "m/down/1.sql": DOWN}, "plain", "m", [("1", True)]),
    ("postgrator", {"m/001.do.x.sql": UP, "m/001.undo.x.sql": DOWN}, "plain", "m", [("001", True)]),
    ("plain without a way back", {"migrations/1_a.sql": UP}, "plain", "migrations", [("1", False)]),
    ("several of a number", {"migrations/1_b.sql": UP, "migrations/1_a.sql": UP, "migrations/1_a_rollback.sql": DOWN}, "plain", "migrations", [("1", True), ("1", False)]),
    ("folders of a number", {"delta/2/b.sql": UP, "delta/2/a.sql": UP, "delta/10/c.sql": UP}, "plain", "delta", [("2", False), ("2", False), ("10", False)]),
    ("files per dialect", {"migrations/1_a.postgres.up.sql": UP, "migrations/1_a.mysql.up.sql": "x", "migrations/1_a.down.sql": DOWN}, "golang-migrate", "migrations", [("1", True)]),
    ("folders per dialect", {"migrations/postgres/1_a.up.sql": UP, "migrations/sqlite/1_a.up.sql": "x"}, "golang-migrate", "migrations/postgres", [("1", False)]),
    ("dbtrust", {"migrations/1_a.sql": UP, "migrations/1_a.down.sql": DOWN, "migrations/2_b.py": "from dbtrust.migrations import create_collection\nsteps = []\n"}, "dbtrust", "migrations", [("1", True), ("2", False)]),
    ("dbtrust, Python alone", {"migrations/0001_a.py": "def up(db):\n    pass\n"}, "dbtrust", "migrations", [("0001", False)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "layout", "folder", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_layout_is_told_and_read_in_its_order(
    tmp_path: Path, files: dict[str, str | bytes], layout: str, folder: str, expected: list[tuple[str, bool]]
) -> None:
    reading = only(tmp_path, files)
    assert (reading.layout, reading.folder, reading.errors) == (layout, folder, [])
    assert shape(reading) == expected


def test_files_for_other_databases_are_named(tmp_path: Path) -> None:
    seen = found(
        tmp_path, {"m/postgres/1_a.up.sql": UP, "m/mysql/1_a.up.sql": "x", "n/1_a.sqlite.up.sql": "x"}
    )
    assert [(n.what, n.needs.partition(";")[0]) for n in seen.not_examined] == [
        ("m/mysql", "MySQL"), ("n/1_a.sqlite.up.sql", "SQLite"),
    ]  # fmt: skip


def test_a_section_keeps_its_place_in_the_file(tmp_path: Path) -> None:
    read = only(
        tmp_path, {"1_a.sql": "-- +goose Down\nDROP TABLE a;\n-- +goose Up\nCREATE TABLE a ();\n"}
    ).reads[0]
    assert read.migration.up is not None and read.migration.down is not None
    assert read.migration.up.sql.split("\n")[
        3
    ] == "CREATE TABLE a ();" and read.migration.up.sql.strip().startswith("C")
    assert read.migration.down.sql.strip() == "DROP TABLE a;"


@pytest.mark.parametrize(
    ("files", "alone"),
    [
        ({"1_a.up.sql": "CREATE INDEX CONCURRENTLY i ON t (a);"}, True),
        ({"1_a.up.sql": "-- CREATE INDEX CONCURRENTLY\nSELECT 'VACUUM';"}, False),
        ({"1_a.up.sql": "BEGIN;\nSELECT 1;\nCOMMIT;"}, False),
        ({"1_a.up.sql": "SELECT 1;\nBEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;"}, True),
        ({"1_a.up.sql": "DO $$\nBEGIN\nPERFORM 1;\nEND;\n$$;"}, False),
        ({"1_a.sql": "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;"}, True),
        ({"1_a.sql": "-- +migrate Up notransaction\nSELECT 1;"}, True),
        ({"1_a.sql": "-- migrate:up transaction:false\nSELECT 1;"}, True),
        ({"migrations/1_a/up.sql": "SELECT 1;", "migrations/1_a/metadata.toml": "run_in_transaction = false"}, True),
        ({"Cargo.toml": "", "migrations/1_a.sql": "-- no-transaction\nSELECT 1;"}, True),
        ({"V1__a.sql": "SELECT 1;", "V1__a.sql.conf": "executeInTransaction=false"}, True),
    ],
)  # fmt: skip
def test_the_transaction_is_the_tools_own(tmp_path: Path, files: dict[str, str | bytes], alone: bool) -> None:
    up = only(tmp_path, files).reads[0].migration.up
    assert up is not None and (up.options.get("transaction") == "false") == alone


@pytest.mark.parametrize(
    ("files", "reason", "word"),
    [
        ({"V1__a.sql": "CREATE TABLE ${x}.a ();"}, "variables", "${x}"),
        ({"1_a.sql": "-- +goose Up\n-- +goose ENVSUB ON\nALTER TABLE a OWNER TO $WHO;\n-- +goose ENVSUB OFF"}, "variables", "$WHO"),
        ({"1_a.go": "package m", "2_b.sql": GOOSE}, "program", "Go"),
        ({"V1__a.java": "class", "V2__a.sql": UP}, "program", "program"),
        ({"1_a.sql": "\\connect other\nSELECT 1;"}, "psql", "\\connect"),
        ({"1_a.up.sql": b"\xff\xfea"}, "unreadable", "UTF-8"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_a_hole_with_its_reason(
    tmp_path: Path, files: dict[str, str | bytes], reason: str, word: str
) -> None:
    hole = only(tmp_path, files).reads[0].hole
    assert hole is not None and hole.reason == reason and word in hole.message


def test_no_variable_where_goose_puts_none_in(tmp_path: Path) -> None:
    text = "-- +goose Up\nCREATE FUNCTION f() RETURNS int AS $func$ SELECT 1 $func$ LANGUAGE sql; SELECT '${x}';\n"
    assert only(tmp_path, {"1_a.sql": text}).reads[0].hole is None


def test_the_rows_of_a_copy_hold_no_commands(tmp_path: Path) -> None:
    text = "COPY a (x) FROM stdin;\n\\N\n1\n\\.\nSELECT 1;\n"
    assert only(tmp_path, {"1_a.sql": text}).reads[0].hole is None


@pytest.mark.parametrize(
    ("files", "message", "file"),
    [
        ({"1_a.up.sql": UP, "01_b.up.sql": UP}, "number 1 is taken by 01_b.up.sql", "1_a.up.sql"),
        ({"1_a.up.sql": UP, "2_b.down.sql": DOWN}, "a down without an up for number 2", "2_b.down.sql"),
        ({"V1__a.sql": UP, "V1.0__b.sql": UP}, "number 1 is taken by V1.0__b.sql", "V1__a.sql"),
        ({"V1__a.sql": UP, "U2__b.sql": DOWN}, "a down without an up for number 2", "U2__b.sql"),
        ({"1_a.sql": GOOSE, "2_b.sql": "SELECT 1;"}, "the file has no up", "2_b.sql"),
        ({"1_a.sql": "-- migrate:up wrong:1\nSELECT 1;"}, "unknown option", "1_a.sql"),
        ({"1_a.up.sql": b"a\0b"}, "NUL", "1_a.up.sql"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_an_error_with_its_place(
    tmp_path: Path, files: dict[str, str | bytes], message: str, file: str
) -> None:
    errors = only(tmp_path, files).errors
    assert [(message in e.message, e.location.file) for e in errors] == [(True, file)], [
        str(e) for e in errors
    ]
    assert all(e.next for e in errors)


UNSUPPORTED = {
    "Django": {"app/migrations/0001_initial.py": "class Migration(migrations.Migration): ..."},
    "Rails": {"db/migrate/20200101000000_x.rb": "class X < ActiveRecord::Migration[7.0]"},
    "Liquibase": {"db/changelog.xml": "<databaseChangeLog>"},
    "Sqitch": {"sqitch.plan": "%project=x"},
    "Laravel": {"m/2020_01_01_000000_x.php": "return new class extends Migration {"},
    "Knex": {"migrations/20200101000000_x.js": "exports.up = knex => {}"},
    "TypeORM": {"m/1600000000000-X.ts": "implements MigrationInterface"},
    "yoyo": {"m/0001.py": "from yoyo import step\n"},
}


@pytest.mark.parametrize("layout", UNSUPPORTED)
def test_a_layout_that_is_not_read_is_named(tmp_path: Path, layout: str) -> None:
    seen = found(tmp_path, UNSUPPORTED[layout])
    assert [u.layout for u in seen.unsupported] == [layout] and not seen.readings


@pytest.mark.parametrize(
    "files",
    [
        {"queries/01_top.sql": "SELECT 1"},
        {"node_modules/x/migrations/1_a.up.sql": UP},
        {".git/1_a.up.sql": UP},
        {"venv/pyvenv.cfg": "", "venv/migrations/1_a.up.sql": UP},
        {"README.md": "", "src/schema.sql": UP},
    ],
)
def test_nothing_is_taken_for_a_history_that_is_none(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    assert not found(tmp_path, files).readings


def test_no_link_is_followed_out_of_the_folder(tmp_path: Path) -> None:
    outside = tree(tmp_path / "outside", {"migrations/1_a.up.sql": UP, "2_b.up.sql": UP})
    inside = tree(tmp_path / "inside", {"m/1_a.up.sql": UP})
    (inside / "other").symlink_to(outside / "migrations")
    (inside / "m" / "loop").symlink_to(inside)
    (inside / "m" / "2_b.up.sql").symlink_to(outside / "2_b.up.sql")
    (inside / "m" / "3_c.up.sql").symlink_to(inside / "m" / "1_a.up.sql")
    assert shape(find_histories(inside).readings[0]) == [("1", False), ("3", False)]


def test_odd_names_and_no_folder(tmp_path: Path) -> None:
    reading = only(tmp_path, {'a b/migrations/1_it\'s "ü" here.up.sql': UP})
    assert reading.reads[0].migration.name == 'it\'s "ü" here'
    with pytest.raises(ConfigError, match="not a folder"):
        find_histories(tmp_path / "none")


ALEMBIC = {
    "alembic.ini": "[alembic]\nscript_location = %(here)s/db\n",
    "db/env.py": "",
    "db/versions/z_first.py": 'revision = "a"\ndown_revision = None\ndef upgrade(): ...\ndef downgrade(): ...\n',
    "db/versions/c_left.py": 'revision: str = "b"\ndown_revision: str = "a"\ndef upgrade(): ...\n',
    "db/versions/b_right.py": 'revision = "c"\ndown_revision = "a"\ndef upgrade(): ...\ndef downgrade(): ...\n',
    "db/versions/a_merge.py": 'revision = "d"\ndown_revision = ("b", "c")\ndef upgrade(): ...\ndef downgrade(): ...\n',
}


def test_alembics_graph_gives_one_order(tmp_path: Path) -> None:
    reading = only(tmp_path, dict(ALEMBIC))
    assert (reading.layout, reading.folder, reading.program) == ("Alembic", "db/versions", "")
    assert shape(reading) == [("a", True), ("c", True), ("b", False), ("d", True)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('revision = "e"\ndown_revision = "gone"\n', "there is no revision gone"),
        ('revision = "e"\ndown_revision = "e"\n', "need each other"),
        ('revision = "a"\ndown_revision = None\n', "revision a is taken"),
        ("def (", "no Python"),
    ],
)
def test_a_wrong_revision_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    reading = only(tmp_path, {**ALEMBIC, "db/versions/zz.py": text})
    assert len(reading.reads) == 4 and [message in e.message for e in reading.errors] == [True]


def test_alembic_in_pyproject_and_beside_its_own_env(tmp_path: Path) -> None:
    revision = {"migrations/versions/1.py": 'revision = "a"\ndown_revision = None\n', "migrations/env.py": ""}
    pyproject = '[tool.alembic]\nscript_location = "migrations"\n'
    assert only(tmp_path / "a", {**revision, "pyproject.toml": pyproject}).program == ""
    assert only(tmp_path / "b", {**revision, "migrations/alembic.ini": "[alembic]\n"}).program == "migrations"
