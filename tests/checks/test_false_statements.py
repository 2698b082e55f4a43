"""Statements that read well and are false, each a small project, each caught by a general check."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.checks.conftest import bad

from dbtrust import Report, check

SCHEMA = r"""
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email varchar(255) NOT NULL UNIQUE,
    username varchar(50) NOT NULL,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    metadata jsonb,
    CONSTRAINT valid_email CHECK (email ~* '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Z|a-z]{2,}$'),
    CONSTRAINT valid_username CHECK (length(username) >= 3)
);
CREATE INDEX idx_users_created_at ON users (created_at);
CREATE INDEX idx_active_users ON users (email) WHERE metadata ->> 'status' = 'active';
CREATE INDEX idx_users_metadata ON users USING gin (metadata);
CREATE INDEX idx_users_search ON users (created_at DESC, username);
CREATE FUNCTION update_updated_at_column() RETURNS trigger AS $$
BEGIN
    NEW.updated_at = CURRENT_TIMESTAMP;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER update_users_updated_at BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TABLE user_profiles (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX idx_user_profiles_user_id ON user_profiles (user_id);
"""
DATA = """
INSERT INTO users (email, username, created_at, metadata)
SELECT 'u' || n || '@' || CASE WHEN n % 5 = 0 THEN 'example.com' ELSE 'mail.org' END, 'user' || n,
       :now - n * interval '10 minutes', jsonb_build_object('status', CASE n % 7 WHEN 0 THEN 'active' ELSE 'idle' END)
FROM generate_series(1, :rows + 0 * :seed) AS n
"""
TOML = """
[project]
name = "seed"
[postgres]
schema = ["schema.sql"]
queries = ["queries.sql"]
proofs = ["proofs.sql"]
[data.users]
file = "data.sql"
rows = 20_000
"""


def project(folder: Path, *, queries: str = "", proofs: str = "", schema: str = SCHEMA) -> Path:
    files = {
        "dbtrust.toml": TOML,
        "schema.sql": schema,
        "data.sql": DATA,
        "queries.sql": queries,
        "proofs.sql": proofs,
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def judged(tmp_path: Path, postgres_url: str):
    def run(
        *, queries: str = "", proofs: str = "", schema: str = SCHEMA, only: tuple[str, ...] = ()
    ) -> Report:
        return check(
            project(tmp_path, queries=queries, proofs=proofs, schema=schema), only=only, postgres=postgres_url
        )

    return run


def test_the_index_that_covers_nothing(judged) -> None:
    """ "Uses idx_users_search (composite index covers query fully)": email is not in it."""
    found = bad(judged(queries="""
-- name: recent
-- claim: uses idx_users_search on users index only
-- claim: index only on users
SELECT email, created_at FROM users WHERE created_at >= CURRENT_TIMESTAMP - INTERVAL '7 days'
ORDER BY created_at DESC LIMIT 100;
""", only=("claim",)))  # fmt: skip
    assert set(found) == {
        ("claim.uses", "query:queries.recent"),
        ("claim.index_only", "query:queries.recent"),
    }


def test_like_with_a_leading_wildcard_is_served_by_the_predicate_only(judged) -> None:
    """ "Uses idx_active_users": it does, and reads every active user for one domain."""
    report = judged(queries="""
-- name: active
-- claim: uses idx_active_users on users
-- claim: examines at most 1 rows per result
SELECT email, username FROM users WHERE metadata ->> 'status' = 'active' AND email LIKE '%@example.com';
""", only=("claim",))  # fmt: skip
    assert ("claim.examines", "query:queries.active") in bad(report)


def test_the_trigger_tested_in_one_transaction(judged) -> None:
    """CURRENT_TIMESTAMP is the transaction's own: updated_at > created_at is false in it."""
    found = bad(judged(proofs="""
-- name: trigger_worked
-- claim: true
INSERT INTO users (email, username) VALUES ('test@example.com', 'testuser');
UPDATE users SET username = 'updated_user' WHERE email = 'test@example.com';
SELECT updated_at > created_at AS trigger_worked FROM users WHERE email = 'test@example.com';
""", only=("proof",)))  # fmt: skip
    assert "found False" in found["proof.true", "proof:trigger_worked"]


@pytest.mark.parametrize("claim", ["refused 23514", "refused 23514 by valid_email"])
def test_one_row_that_breaks_two_checks(judged, claim: str) -> None:
    """Each check hides the loss of the other."""
    found = bad(judged(proofs=f"""
-- name: constraint_correctly_enforced
-- claim: {claim}
INSERT INTO users (email, username) VALUES ('invalid-email', 'ab');
""", only=("proof",)))  # fmt: skip
    assert "also breaks valid_username" in found["proof.refused", "proof:constraint_correctly_enforced"]


def test_rules_over_the_schema(judged) -> None:
    report = judged(only=("index", "constraint", "foreign_key"))
    found = {(f.rule, f.subject): f for f in report.findings}
    assert ("constraint.pipe_in_class", "constraint:users.valid_email") in found
    assert ("index.redundant", "index:idx_user_profiles_user_id") in found
    assert found["constraint.pipe_in_class", "constraint:users.valid_email"].location.file == "schema.sql"
    assert report.exit_code == 1


@pytest.mark.parametrize(
    "columns",
    [
        "schemaname, tablename, seq_scan FROM pg_stat_user_tables",
        "indexname, idx_scan FROM pg_stat_user_indexes",
    ],
)
def test_columns_that_the_catalog_does_not_have(judged, columns: str) -> None:
    found = bad(judged(queries=f"-- name: monitoring\nSELECT {columns};\n", only=("query",)))
    assert "42703" in found["query.prepares", "query:queries.monitoring"]


def test_a_file_that_runs_once_only(judged) -> None:
    """CREATE INDEX without IF NOT EXISTS beside CREATE TABLE IF NOT EXISTS."""
    twice = "-- dbtrust: rerunnable\n" + SCHEMA.replace(
        "CREATE TABLE users", "CREATE TABLE IF NOT EXISTS users"
    )
    found = bad(judged(schema=twice, only=("schema",)))
    assert "idx_users_created_at" in found["schema.reapplies", "file:schema.sql"]


def test_a_migration_that_takes_any_table_for_its_own(tmp_path: Path, postgres_url: str) -> None:
    """CREATE TABLE IF NOT EXISTS over another table reports success, and the rollback drops that table."""
    (tmp_path / "m").mkdir()
    (tmp_path / "dbtrust.toml").write_text(
        '[project]\nname="s"\n[postgres]\n[migrations]\nfolder="m"\n', encoding="utf-8"
    )
    (tmp_path / "m/001_profiles.sql").write_text(
        "BEGIN;\nCREATE TABLE IF NOT EXISTS user_profiles (id bigint);\nCOMMIT;\n", encoding="utf-8"
    )
    (tmp_path / "m/001_profiles_rollback.sql").write_text(
        "BEGIN;\nDROP TABLE IF EXISTS user_profiles CASCADE;\nCOMMIT;\n", encoding="utf-8"
    )
    report = check(tmp_path, postgres=postgres_url)
    found = bad(report)
    assert set(found) == {("migrate.drifted", "migration:001")}
    assert "drops the object that it did not create" in found["migrate.drifted", "migration:001"]
    verdict = next(v for v in report.verdicts if v.verdict == "refuted")
    assert str(verdict.location) == "m/001_profiles.sql:2:1"


def test_a_gain_is_measured(judged) -> None:
    """ "275x performance improvement" becomes a number with a spread."""
    report = judged(queries="""
-- name: active
-- claim: at least 275x faster than without idx_active_users
SELECT email FROM users WHERE metadata ->> 'status' = 'active' AND email = 'u7@mail.org';
""", only=("claim",))  # fmt: skip
    assert [(v.check, v.verdict) for v in report.verdicts] == [("claim.faster", "refuted")]
    assert "claimed at least 275x" in report.verdicts[0].message


def test_an_unnamed_index_takes_another_name(tmp_path: Path, postgres_url: str) -> None:
    """CREATE INDEX ON t (a) beside a stranger called t_a_idx is fine; a down that drops that name is not."""
    (tmp_path / "m").mkdir()
    (tmp_path / "dbtrust.toml").write_text(
        '[project]\nname="s"\n[postgres]\n[migrations]\nfolder="m"\n', encoding="utf-8"
    )
    (tmp_path / "m/1_t.sql").write_text(
        'CREATE TABLE t (a int, "B.c" int);\n-- migrate:down\nDROP TABLE t;\n', encoding="utf-8"
    )
    for drop, refuted in [("DROP INDEX t_a_idx;", True), ("DROP INDEX named;", False)]:
        name = "named ON" if not refuted else "ON"
        (tmp_path / "m/2_i.sql").write_text(
            f'CREATE INDEX {name} t (a);\nCREATE INDEX "Odd.Name" ON t ("B.c");\n-- migrate:down\n{drop}\nDROP INDEX "Odd.Name";\n',
            encoding="utf-8",
        )
        verdicts = {
            v.check: v for v in check(tmp_path, postgres=postgres_url).verdicts if v.subject == "migration:2"
        }
        assert (verdicts["migrate.drifted"].verdict == "refuted") is refuted
        assert verdicts["migrate.down"].verdict == "holds"
    assert any("Odd.Name" in tried for tried in verdicts["migrate.drifted"].evidence["tried"])
