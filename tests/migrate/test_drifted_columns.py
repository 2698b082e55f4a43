"""Over a stranger of the same name: what is set on a column that is there creates none; a column that is new is tried."""

from __future__ import annotations

import pytest
from tests.migrate.conftest import Found, Prove, Step

BASE = (
    "CREATE TABLE t (id int PRIMARY KEY, email text, \"odd comment\" text); COMMENT ON COLUMN t.id IS 'key';"
    ' CREATE TABLE "we""ird;--\'t" (id int PRIMARY KEY);'
)
#: name: (up, down)
SET: dict[str, tuple[str, str]] = {
    "comment": ("COMMENT ON COLUMN t.email IS 'x';", "COMMENT ON COLUMN t.email IS NULL;"),
    "default": ("ALTER TABLE t ALTER email SET DEFAULT 'x';", "ALTER TABLE t ALTER email DROP DEFAULT;"),
    "statistics": ("ALTER TABLE t ALTER email SET STATISTICS 50;", "ALTER TABLE t ALTER email SET STATISTICS -1;"),
    "compression": ("ALTER TABLE t ALTER email SET COMPRESSION pglz;", "ALTER TABLE t ALTER email SET COMPRESSION DEFAULT;"),
    "storage": ("ALTER TABLE t ALTER email SET STORAGE EXTERNAL;", "ALTER TABLE t ALTER email SET STORAGE EXTENDED;"),
    "options": ("ALTER TABLE t ALTER email SET (n_distinct = 5);", "ALTER TABLE t ALTER email RESET (n_distinct);"),
    "grant": ("GRANT SELECT (email) ON t TO PUBLIC;", "REVOKE SELECT (email) ON t FROM PUBLIC;"),
}  # fmt: skip
ADDED = {
    "quiet": ("ALTER TABLE t ADD COLUMN IF NOT EXISTS more int;", "ALTER TABLE t DROP COLUMN more;", "refuted"),
    "loud": ("ALTER TABLE t ADD COLUMN \"more comment\" int;", "ALTER TABLE t DROP COLUMN \"more comment\";", "holds"),
    # Its check is unnamed: over another of that name the server finds a new one.
    "odd": (
        "ALTER TABLE \"we\"\"ird;--'t\" ADD COLUMN x int CHECK (x > 0);",
        "ALTER TABLE \"we\"\"ird;--'t\" DROP COLUMN x;", "holds",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(prove: Prove) -> Found:
    steps: list[Step] = [(name, up, down) for name, (up, down) in SET.items()]
    return prove(steps + [(name, up, down) for name, (up, down, _) in ADDED.items()], BASE)


@pytest.mark.parametrize("name", SET)
def test_what_is_set_on_a_column_that_is_there(name: str, found: Found) -> None:
    assert found[name, "migrate.drifted"].verdict == "not_applicable"
    assert {v.verdict for (label, _), v in found.items() if label == name} <= {"holds", "not_applicable"}


@pytest.mark.parametrize("name", ADDED)
def test_a_column_that_is_new(name: str, found: Found) -> None:
    assert found[name, "migrate.drifted"].verdict == ADDED[name][2]
