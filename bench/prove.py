"""The prover beside pytest-mrt and pytest-alembic on the same Alembic projects, and a history of 300 migrations.

Each case is an Alembic project of two revisions (prove_cases.py): one base, and one revision whose down leaves something
behind, fails over rows that only the new schema allows (a trap), or is right: a trap's twin, and controls on the base of
the leftovers. The cases are those of dbtrust's own tests. Each tool (prove_tools.py) runs as its command, on a database of
its own of one running server, and sees a case when what it says names the cause. What it said is kept in the JSON.

The 300 migrations have downs and changes of nine kinds; budgets: 60 s, and the last 50 at most 1.5 times the first 50.

A run that was interrupted goes on with --resume: what was run on the same files with the same code is not run again.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import prove_tools
from common import SRC, Cost, Row, options, show_rows
from histories import write_history
from peers import environment_peer, python_version
from platformdirs import user_cache_path
from prove_cases import Case, cases, write_case
from prove_judge import OTHER, SEEN, SILENT, UNFINISHED, judged
from prove_tools import PACKAGES, TOOLS, Place, Said, tried

from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.server import PostgresServer, start_postgres
from dbtrust.engine.runs import Run
from dbtrust.migrate.proving import Proving, prove
from dbtrust.source.config import load_config

#: What a tool said of a case, by (tool, label of the case).
Answers = dict[tuple[str, str], Said]
LABELS = {
    "left": "downs that leave something: seen",
    "trap": "traps: seen",
    "twin": "safe twins of the traps: false alarms",
    "control": "healthy changes on the leftovers' base: false alarms",
}


class Kept:
    """The answers of a run, one line each in a file of the cache, so that an interrupted run can go on."""

    def __init__(self, name: str, *, resume: bool) -> None:
        self.reused = 0
        self._file = user_cache_path("dbtrust") / "bench" / f"{name}.jsonl"
        self._file.parent.mkdir(parents=True, exist_ok=True)
        lines = self._file.read_text().splitlines() if resume and self._file.exists() else []
        self._known: dict[str, Any] = dict(json.loads(line) for line in lines)
        self._file.write_text("".join(f"{line}\n" for line in lines))

    def get(self, key: str) -> Said | None:
        if (found := self._known.get(key)) is None:
            return None
        self.reused += 1
        return Said(found["complaints"], Cost(*found["cost"]))

    def put(self, key: str, said: Said) -> None:
        """Keeps an answer; one that did not come in time is asked for again."""
        if said.cost is not None:
            with self._file.open("a") as file:
                file.write(json.dumps([key, asdict(said)]) + "\n")


def key_of(tool: str, folder: Path) -> str:
    """Changes with the project's files, the peers' versions, how the tools are run, and, for dbtrust, its own code."""
    own = [Path(prove_tools.__file__), *(SRC.rglob("*.*") if tool == "dbtrust" else ())]
    found = hashlib.sha256(repr((tool, PACKAGES)).encode())
    for file in [*sorted(own), *sorted(folder.rglob("*.*"))]:
        if file.suffix in (".py", ".sql", ".ini"):
            found.update(file.read_bytes())
    return found.hexdigest()


def compared(chosen: Sequence[Case], server: PostgresServer, versions: dict[str, str], kept: Kept) -> Answers:
    """Every tool's answer to every case; nothing where the peers cannot be installed."""
    environment = environment_peer(*PACKAGES)
    if environment is None:
        versions["pytest-mrt, pytest-alembic"] = "absent (cannot be installed here)"
        return {}
    for name in ("pytest-mrt", "pytest-alembic", "alembic"):
        versions[name] = python_version(next(environment.glob("lib/*/site-packages")), name)
    answers: Answers = {}

    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        for place, case in enumerate(chosen):
            folder = root / f"case{place:03d}"
            write_case(folder, case)
            keys = {tool: key_of(tool, folder) for tool in TOOLS}
            (folder / ".venv").symlink_to(environment)
            told: list[str] = []
            for tool in TOOLS:
                where = Place(folder, environment / "bin" / "python", server.admin_url(), f"peer_{place:03d}")
                said = kept.get(keys[tool])
                if said is None:
                    said = tried(tool, where)
                    kept.put(keys[tool], said)
                answers[tool, case.label] = said
                seconds = f" {said.cost.wall:.1f} s" if said.cost else ""
                told.append(f"{tool} {judged(case, said)}{seconds}")
            print(f"[{place + 1}/{len(chosen)}] {case.label}: {', '.join(told)}", file=sys.stderr, flush=True)
    if kept.reused:
        versions["answers of an interrupted run"] = f"{kept.reused} of {len(answers)}"
    return answers


def rows_of(chosen: Sequence[Case], answers: Answers) -> Iterator[Row]:
    """The counts of each tool, and what it took for one project."""
    for kind, label in LABELS.items():
        of_kind = [case for case in chosen if case.kind == kind]
        for tool in TOOLS if answers else ():
            found = [judged(case, answers[tool, case.label]) for case in of_kind]
            yield Row(label, tool, found.count(SEEN), f"of {len(of_kind)}")
            if other := found.count(OTHER):
                yield Row(
                    f"{label.partition(':')[0]}: refused for another reason",
                    tool,
                    other,
                    f"of {len(of_kind)}",
                )
            if late := found.count(UNFINISHED):
                yield Row(f"{label.partition(':')[0]}: not finished", tool, late, f"of {len(of_kind)}")
    for tool in TOOLS if answers else ():
        costs = [a.cost for (name, _), a in answers.items() if name == tool and a.cost is not None]
        yield Row("one project: wall time", tool, statistics.median(c.wall for c in costs), "s")
        yield Row("one project: CPU", tool, statistics.median(c.cpu for c in costs), "s")
        yield Row("one project: memory", tool, max(c.memory for c in costs), "MB")


def told(chosen: Sequence[Case], answers: Answers) -> dict[str, Any]:
    """What each tool said of each case, for whoever wants to look; `notes` name those that it is wrong about."""
    said = [
        {"case": case.label, "cause": case.cause, "tool": tool, "judged": judged(case, answer), "said": _short(answer)}
        for case in chosen
        for tool in TOOLS
        if (answer := answers.get((tool, case.label))) is not None
    ]  # fmt: skip
    return {"notes": list(_notes(chosen, answers)), "answers": said}


def _short(said: Said) -> list[str]:
    return [text if len(text) < 400 else f"{text[:400]} …" for text in said.complaints or ()]


def _notes(chosen: Sequence[Case], answers: Answers) -> Iterator[str]:
    for tool in TOOLS if answers else ():
        outcomes = {case: judged(case, answers[tool, case.label]) for case in chosen}
        for what, cases_ in (
            ("sees nothing of", [c for c, o in outcomes.items() if c.wrong and o == SILENT]),
            ("refuses for another reason", [c for c, o in outcomes.items() if c.wrong and o == OTHER]),
            ("raises a false alarm about", [c for c, o in outcomes.items() if not c.wrong and o == SEEN]),
            ("did not finish", [c for c, o in outcomes.items() if o == UNFINISHED]),
        ):
            if cases_:
                yield f"{tool} {what}: {', '.join(c.label for c in cases_)}"


def long_history(count: int, server: PostgresServer) -> tuple[list[Row], dict[str, dict[str, float]]]:
    """Seconds for all, for the first and for the last sixth of a history."""
    marks: list[float] = []

    def progress(message: str, /) -> None:
        if message.startswith("proving ") and ".sql" in message:
            marks.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as name:
        write_history(Path(name), count)
        started = time.perf_counter()
        config = load_config(Path(name))
        report = prove(
            Proving(
                config.root,
                config,
                postgres=server.admin_url(),
                engines=frozenset({"postgres"}),
                progress=progress,
            )
        )
        ended = time.perf_counter()
    wrong = [v for v in report.verdicts if v.verdict == "refuted"]
    assert not report.errors and not wrong, [*report.errors, *wrong][:3]
    assert len(marks) == count, f"{len(marks)} of {count} were seen"
    part = count // 6
    first, last = marks[part] - marks[0], ended - marks[-part]
    title = f"{count} migrations"
    rows = [
        Row(f"{title}: all", "dbtrust", ended - started, "s"),
        Row(f"{title}: the first {part}", "dbtrust", first, "s"),
        Row(f"{title}: the last {part}", "dbtrust", last, "s"),
    ]
    return rows, {title: {f"the last {part} / the first {part}": last / first}}


def main() -> None:
    """Measures and prints."""
    asked = options(__doc__, resume="go on with a run that was interrupted")
    versions: dict[str, str] = {}
    chosen = list(cases(8 if asked.quick else 1))
    with Run() as run:
        server = start_postgres(run, find_postgres("17"))
        versions["PostgreSQL"] = server.version
        kept = Kept("prove-quick" if asked.quick else "prove", resume=asked.resume)
        answers = compared(chosen, server, versions, kept)
        more, ratios = long_history(60 if asked.quick else 300, server)
    rows = [*rows_of(chosen, answers), *more]
    show_rows("prove", versions, rows, ratios, as_json=asked.json, more=told(chosen, answers))


if __name__ == "__main__":
    main()
