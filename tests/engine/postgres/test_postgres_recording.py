"""The server's JSON log as executions. What a live server writes is tested by tests/claims/test_record.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dbtrust.engine.postgres.recording import executions, parse_parameters

#: Written by PostgreSQL 15.18 with the settings of recording.py: a statement with parameters, PREPARE and EXECUTE.
LOG_15 = Path(__file__).parents[2] / "fixtures" / "postgres" / "log_15.18.json"


def line(text: str = "SELECT a FROM t", database: str = "x", **plan: Any) -> str:
    document = {
        "Query Text": text,
        "Plan": {"Node Type": "Seq Scan", "Actual Rows": 2, "Actual Loops": 1, **plan},
    }
    entry = {"dbname": database, "session_id": "s", "line_num": 1}
    entry["message"] = "duration: 0.01 ms  plan:\n" + json.dumps(document, indent=2)
    return json.dumps(entry, separators=(",", ":")) + "\n"


def test_lines_that_are_none_are_passed_over(tmp_path: Path) -> None:
    """Another database, another message, no JSON, and a last line that is half written."""
    log = tmp_path / "log.json"
    other = json.dumps({"dbname": "x", "message": "ERROR"}, separators=(",", ":")) + "\n"
    cut = (
        json.dumps({"dbname": "x", "message": 'duration: 1 ms  plan:\n{"Query'}, separators=(",", ":")) + "\n"
    )
    log.write_text("\n{\n[]\n" + other + cut + line(database="y") + line() + line()[:-30], encoding="utf-8")
    (found,) = executions(log, "x")
    assert (found.text, found.rows, found.parameters) == ("SELECT a FROM t", 2, None)
    assert list(executions(tmp_path / "absent", "x")) == []


def test_relations_of_all_nodes(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    below = {"Node Type": "Seq Scan", "Relation Name": "u", "Schema": "s"}
    log.write_text(
        line(**{"Operation": "Update", "Relation Name": "t", "Schema": "p", "Plans": [below]}),
        encoding="utf-8",
    )
    (found,) = executions(log, "x")
    assert found.kind == "Update" and found.relations == {("p", "t"), ("s", "u")}


def test_parameters_before_16() -> None:
    """Those of the extended protocol stand in the line before; those of EXECUTE are nowhere."""
    found = {one.text: one.parameters for one in executions(LOG_15, "x")}
    assert found["select * from t where id = $1 and v = $2"] == ("5", "it's\n")
    assert found["prepare pp as select * from t where id=$1"] is None


@given(st.lists(st.none() | st.text()))
def test_parameters_round_trip(values: list[str | None]) -> None:
    quoted = ("NULL" if v is None else "'" + v.replace("'", "''") + "'" for v in values)
    assert parse_parameters(", ".join(f"${n} = {text}" for n, text in enumerate(quoted, 1))) == tuple(values)


@given(st.text(st.sampled_from("$1 ='N,UL")))
def test_other_texts_are_none_or_values(text: str) -> None:
    assert parse_parameters(text) is None or isinstance(parse_parameters(text), tuple)


READ = """
import resource, sys
from pathlib import Path
from dbtrust.engine.postgres.recording import executions
from dbtrust.judge.recording import Recording
recording = Recording()
def read(log):
    for one in executions(Path(log), "x"):
        recording.add(one)
read(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read(sys.argv[2])
(query,) = recording.queries()
print(query.executions, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_200_mb_of_log_are_read_in_flat_memory(tmp_path: Path) -> None:
    """The constants are others in each line; lines are long, as those of large plans are."""
    filler = "x" * 20_000
    for name, lines in (("small", 1_000), ("large", 10_000)):
        with (tmp_path / name).open("w", encoding="utf-8") as log:
            log.writelines(line(f"SELECT a FROM t WHERE b = {n}", Filter=filler) for n in range(lines))
    assert (tmp_path / "large").stat().st_size > 200_000_000
    command = [sys.executable, "-c", READ, str(tmp_path / "small"), str(tmp_path / "large")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, grown_kb = map(int, done.stdout.split())
    assert count == 11_000
    assert grown_kb < 32_000
