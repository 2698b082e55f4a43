"""Every contract case judged in one run of `check` over one project; each outcome is a test of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.claims.contract_cases import CASES
from tests.claims.contract_schema import MODULE, SCHEMA

from dbtrust import Report, check
from dbtrust.model.report import Verdict

CHECKS = ("contract.parameters", "contract.columns", "contract.nullability", "contract.cardinality")
LETTERS = {"holds": "H", "refuted": "R", "unproved": "U", "not_applicable": "N"}
CONFIG = """
[project]
name = "cases"
python = ["src"]
[postgres]
version = "17"
schema = ["schema.sql"]
queries = ["src/cases.sql"]
contracts = ["cases:Cases"]
"""


def write_project(folder: Path, cases: list[tuple[str, str, str, str]], schema: str = SCHEMA) -> Path:
    """A project whose one class has a method for each case."""
    (folder / "src").mkdir(parents=True)
    (folder / "dbtrust.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "schema.sql").write_text(schema, encoding="utf-8")
    queries = "\n".join(f"-- name: {name}\n{sql}\n" for name, sql, _, _ in cases)
    (folder / "src" / "cases.sql").write_text(queries, encoding="utf-8")
    methods = "".join(f"    def {name}(self, {rest[1:]}: ...\n" for name, _, rest, _ in cases)
    text = f'{MODULE}\nclass Cases(SqlQueries, file="cases.sql"):\n{methods}'
    (folder / "src" / "cases.py").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Report:
    folder = write_project(tmp_path_factory.mktemp("contracts") / "project", CASES)
    return check(folder, only=["contract."], postgres=postgres_url)


@pytest.fixture(scope="module")
def verdicts(report: Report) -> dict[tuple[str, str], Verdict]:
    assert not report.errors, report.errors
    return {(v.subject.rpartition(".")[2], v.check): v for v in report.verdicts}


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 150
    assert len({name for name, *_ in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[name for name, *_ in CASES])
def test_contract(verdicts: dict[tuple[str, str], Verdict], case: tuple[str, str, str, str]) -> None:
    found = [verdicts[case[0], check] for check in CHECKS]
    assert "".join(LETTERS[v.verdict] for v in found) == case[3], [f"{v.verdict}: {v.message}" for v in found]


DATA = """
CREATE TABLE thing (id int PRIMARY KEY, kind text NOT NULL, note text CHECK (note ~ '^(x{3}y){2}[^xy]$' AND md5(note) > ''));
"""
FILL = "INSERT INTO thing SELECT n, 'k' || n % 3, CASE WHEN n % 50 = 0 THEN NULL ELSE 'xxxyxxxyz' END FROM generate_series(1, :rows) AS n\n"
MORE = [
    ("from_data", "SELECT id FROM thing WHERE kind = :k", "(k: str) -> int | None", "HHHR"),
    ("example_of_data", "SELECT kind FROM thing WHERE id = :id", "(id: int) -> str | None", "HHHH"),
    ("wrong_example", "SELECT kind FROM thing WHERE id = :id", "(id: str) -> str | None", "RHHH"),
]


def test_examples_may_ask_for_the_data(tmp_path: Path, postgres_url: str) -> None:
    folder = write_project(tmp_path / "p", MORE, DATA)
    (folder / "thing.sql").write_text(FILL, encoding="utf-8")
    config = CONFIG + '[data.thing]\nfile = "thing.sql"\nrows = 200\n'
    (folder / "dbtrust.toml").write_text(config, encoding="utf-8")
    file = folder / "src" / "cases.sql"
    text = file.read_text(encoding="utf-8")
    text = text.replace("from_data\n", "from_data\n-- example: k = (SELECT min(kind) FROM thing)\n")
    for name in ("example_of_data", "wrong_example"):
        text = text.replace(f"{name}\n", f"{name}\n-- example: id = (SELECT max(id) FROM thing)\n")
    file.write_text(text, encoding="utf-8")
    report = check(folder, only=["contract."], postgres=postgres_url)
    assert not report.errors, report.errors
    for name, _, _, expected in MORE:
        found = {v.check: v for v in report.verdicts if v.subject == f"query:cases.{name}"}
        assert "".join(LETTERS[found[c].verdict] for c in CHECKS) == expected, [
            v.message for v in found.values()
        ]
    wrong = next(v for v in report.verdicts if v.verdict == "refuted" and v.check == "contract.parameters")
    assert "an example gives int 200" in wrong.message
