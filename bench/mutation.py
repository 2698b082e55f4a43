"""The time of a mutation run against the plain way: every claim, proof and test once for each mutant.

Budget: at most 0.3 times mutants x one full run, on two cores. The full run is that of `dbtrust check` with nothing
but query.*, claim.*, proof.* and tests.pass, less the time that the servers take to start; `--quick` takes the small
project of the tests, else it is the shop.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from common import options, show

from dbtrust import Report, check
from dbtrust.engine.postgres.binaries import find_postgres

ROOT = Path(__file__).resolve().parents[1]
FULL = ("query.prepares", "claim.", "proof.", "tests.pass")
MUTATION = ("schema.mutation",)
#: A check that only starts the servers and loads the data.
NOTHING = ("migrate.verify",)


def timed(project: Path, only: tuple[str, ...]) -> tuple[float, Report]:
    """Seconds of one run, and its report."""
    began = time.monotonic()
    report = check(project, only=only)
    assert not report.errors, report.errors
    return time.monotonic() - began, report


def judged(report: Report) -> int:
    """How many mutants were made and judged."""
    count = next(v.evidence for v in report.verdicts if v.subject.startswith("file:"))
    return int(count["killed"]) + int(count["survived"])


SMALL = {
    "dbtrust.toml": """
[project]
name = "small"
tests = ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
[postgres]
schema = ["schema.sql"]
proofs = ["proofs.sql"]
queries = ["queries.sql"]
[data.item]
file = "data.sql"
rows = 50_000
""",
    "schema.sql": """
CREATE TABLE item (id bigint PRIMARY KEY, name text NOT NULL UNIQUE, price numeric NOT NULL CHECK (price >= 0),
                   added timestamptz NOT NULL DEFAULT now());
CREATE INDEX item_by_price ON item (price, id) INCLUDE (name);
""",
    "data.sql": "INSERT INTO item (id, name, price) SELECT n, 'item ' || n, n % 1000 FROM generate_series(1, :rows) n",
    "queries.sql": """
-- name: cheapest
-- claim: uses item_by_price on item index only
-- claim: no sort
-- example: low = 5
SELECT id, name FROM item WHERE price >= :low ORDER BY price, id LIMIT 10;
""",
    "proofs.sql": """
-- name: price_below_zero
-- claim: refused 23514 by item_price_check
INSERT INTO item (id, name, price) VALUES (-1, 'x', -1);
-- name: free
-- claim: true
INSERT INTO item (id, name, price) VALUES (-1, 'x', 0) RETURNING added = now();
-- name: same_name
-- claim: refused 23505 by item_name_key
INSERT INTO item (id, name, price) VALUES (-1, 'x', 1), (-2, 'x', 1);
""",
    "test_item.py": """
import os, psycopg
def test_count():
    with psycopg.connect(os.environ["DBTRUST_POSTGRES"]) as connection:
        assert connection.execute("SELECT count(*) FROM item").fetchone() == (50000,)
""",
}


def main() -> None:
    asked = options(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        project = ROOT / "examples" / "shop"
        if asked.quick:
            project = Path(folder)
            for name, text in SMALL.items():
                (project / name).write_text(text, encoding="utf-8")
        timed(project, NOTHING)  # the data template
        start, _ = timed(project, NOTHING)
        full, _ = timed(project, FULL)
        total, report = timed(project, MUTATION)
    mutants = judged(report)
    one = max(full - start, 0.001)
    medians = {
        "dbtrust: start": start, "dbtrust: one full run": one, f"dbtrust: mutation run, {mutants} mutants": total - start,
    }  # fmt: skip
    ratio = (total - start) / (mutants * one)
    versions = {"postgres": find_postgres("17").version}
    show(
        "mutation",
        versions,
        medians,
        "s",
        {"mutation run": {"dbtrust / mutants x one full run": ratio}},
        as_json=asked.json,
    )


if __name__ == "__main__":
    main()
