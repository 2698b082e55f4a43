"""Small projects of one table for the tests of claims."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dbtrust import Report
from dbtrust.model.report import Verdict

CONFIG = """
[project]
name = "small"

[postgres]
schema = ["schema.sql"]
queries = ["q.sql"]
"""


def project(
    folder: Path, schema: str, queries: str, *, data: Mapping[str, tuple[int, str]] | None = None, extra: str = ""
) -> Path:  # fmt: skip
    """A project with one schema and one query file; `data` maps a table to (rows, generating SQL)."""
    folder.mkdir(parents=True, exist_ok=True)
    config = CONFIG + extra
    for table, (rows, text) in (data or {}).items():
        (folder / f"{table}.sql").write_text(text)
        config += f'\n[data.{table}]\nfile = "{table}.sql"\nrows = {rows}\n'
    (folder / "dbtrust.toml").write_text(config)
    (folder / "schema.sql").write_text(schema)
    (folder / "q.sql").write_text(queries)
    return folder


def claimed(report: Report, check: str = "claim.") -> dict[str, Verdict]:
    """The verdicts whose check begins so, by "NAME: CLAIM" (the claim is empty for claim.generic)."""
    assert not report.errors, report.errors
    return {
        f"{v.subject.rpartition('.')[2]}: {v.claim or v.check}": v
        for v in report.verdicts
        if v.check.startswith(check)
    }


def outcomes(report: Report, check: str = "claim.") -> dict[str, str]:
    """The same with the outcome alone, and the reason of what is unproved."""
    return {
        key: f"{v.verdict} {v.reason}".strip() if v.verdict == "unproved" else v.verdict
        for key, v in claimed(report, check).items()
    }
