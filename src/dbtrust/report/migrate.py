"""What the verbs of migrations found, as text: a line for each migration in the order of the numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dbtrust.model.report import Report
from dbtrust.report.document import document, visible
from dbtrust.report.lines import Line, paint, symbols
from dbtrust.report.text import detail_lines, head_line, left_out_lines
from dbtrust.report.words import ENGINES, STYLES, clipped, place

_Data = Mapping[str, Any]
_SYMBOLS = {
    "applied": "holds", "pending": "unproved", "late": "refuted", "running": "refuted", "reverting": "refuted",
    "untold": "not_applicable", "unknown": "warning", "conflict": "refuted",
}  # fmt: skip
_WORDS = {
    "running": "half applied", "reverting": "half undone", "untold": "not asked: no target", "unknown": "no file",
    "late": "late: below an applied one", "conflict": "applied in the other engine",
}  # fmt: skip
_ORIGINS = {"baseline": "baseline", "adopted": "adopted", "marked": "marked by hand"}


def render_migrations(
    report: Report, *, width: int | None = None, color: bool = False, unicode: bool = True, quiet: bool = False,
    verbose: bool = False,
) -> str:  # fmt: skip
    """Lines for a person; parameters as in text.render_text. A report of nothing but errors is empty text."""
    data = document(report)
    parts = [data["verdicts"], data["findings"], data["not_examined"], data.get("migrations")]
    if data["errors"] and not any(parts):
        return ""
    lines = [head_line(data), *_table(data.get("migrations") or [], verbose=verbose)]
    lines += _verdicts(data["verdicts"], quiet=quiet, verbose=verbose)
    lines += _notes(data["findings"])
    lines += left_out_lines(data)
    lines += [Line(0), _summary(data)]
    return paint(lines, width=width, color=color, symbols=symbols(unicode))


def _number(subject: str) -> int:
    found = re.search(r"[0-9]+", subject)
    return int(found[0]) if found else -1


def _verdicts(verdicts: Sequence[_Data], *, quiet: bool, verbose: bool) -> Iterator[Line]:
    shown = [v for v in verdicts if not (quiet and v["verdict"] == "holds")]
    if shown:
        yield Line(0)
    down = any(v["check"] == "migrate.down" for v in shown)
    for verdict in sorted(shown, key=lambda v: _number(v["subject"]), reverse=down):
        yield from _verdict(verdict, verbose=verbose)


def _verdict(verdict: _Data, *, verbose: bool) -> Iterator[Line]:
    outcome: str = verdict["verdict"]
    good = outcome == "holds"
    said = visible(verdict["message"]) if good or verbose else clipped(visible(verdict["message"]), 400)
    name = visible(verdict["subject"].partition(":")[2])
    where = place(verdict["location"]) if not good else verdict["location"]["file"] or ""
    head = (f"@{outcome} {name}  ", STYLES[outcome])
    engine = ENGINES[verdict["engine"]]
    yield Line(2, (head, (f"{engine}  {said}", ""), (f"  {visible(where)}" if where else "", "dim")), hang=4)
    if not good or verbose:
        yield from detail_lines(verdict, said=True, verbose=verbose)


def _notes(findings: Sequence[_Data]) -> Iterator[Line]:
    if findings:
        yield Line(0)
    for finding in findings:
        name = finding["subject"].partition(":")[2]
        fix = f" ({visible(finding['fix'])})" if finding["fix"] else ""
        head = (f"@{finding['severity']} {visible(name)}  ", STYLES[finding["severity"]])
        yield Line(2, (head, (f"{visible(finding['message'])}{fix}", "")), hang=4)


# --- status


def _table(migrations: Sequence[_Data], *, verbose: bool) -> Iterator[Line]:
    rows = [_row(m, verbose=verbose) for m in migrations]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    if rows:
        yield Line(0)
    for migration, row in zip(migrations, rows, strict=True):
        symbol = "refuted" if migration.get("edited") == "statements" else _SYMBOLS[migration["state"]]
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield Line(2, ((f"@{symbol} {cells}  ", STYLES[symbol]), (row[3], "")), hang=4)
        for step in migration.get("steps", ()):
            yield from _step(step)


def _row(migration: _Data, *, verbose: bool) -> tuple[str, str, str, str]:
    engine, known = ENGINES[migration["engine"]], str(migration["state"])
    state = _WORDS.get(known, known)
    told = [_said(migration, state)]
    if migration.get("edited"):
        told.append("edited since" if migration["edited"] == "statements" else "comments edited since")
    if (origin := migration.get("origin")) in _ORIGINS:
        told.append(_ORIGINS[origin])
    if verbose and migration.get("who"):
        told.append(f"by {migration['who']}")
    told += [visible(word) for word in migration.get("notes", ())]
    return visible(migration["number"]), visible(migration["name"]), engine, ", ".join(told)


def _said(migration: _Data, state: str) -> str:
    at, lasted = migration.get("at"), migration.get("duration_ms")
    when = f" {str(at)[:19].replace('T', ' ')}" if at and migration["state"] == "applied" else ""
    steps = ""
    if migration["state"] in ("running", "reverting") and "steps_known" in migration:
        steps = f" ({migration['steps_done']} of {migration['steps_known']} known steps done)"
    span = f" in {lasted:,.0f} ms" if isinstance(lasted, (int, float)) and when else ""
    return f"{state}{when}{span}{steps}"


# --- plan


def _step(step: _Data) -> Iterator[Line]:
    """One statement or step of a plan, with what it was seen to do."""
    text = clipped(visible(" ".join(step["text"].split())), 100)
    yield Line(6, ((text, "bold"),), hang=2)
    for lock in _strongest(step.get("locks", ())):
        yield Line(8, (("locks ", "dim"), (f"{visible(lock['object'])}  {lock['mode']}", "")), hang=2)
    for name in step.get("rewrites", ()):
        yield Line(8, (("rewrites ", "dim"), (visible(name), "yellow")), hang=2)
    for note in step.get("notes", ()):
        yield Line(8, ((visible(note), "dim"),), hang=2)


def _strongest(locks: Sequence[_Data]) -> list[_Data]:
    """The strongest mode on each object that was there before; weak locks on what is no relation are left out."""
    found: dict[str, _Data] = {}
    for lock in locks:
        weak = lock["kind"] == "object" and lock["mode"] == "AccessShareLock"
        if not lock["new"] and not weak:
            other = found.get(lock["object"])
            found[lock["object"]] = lock if other is None or _rank(lock) > _rank(other) else other
    return list(found.values())


def _rank(lock: _Data) -> int:
    return _MODES.index(lock["mode"]) if lock["mode"] in _MODES else -1


#: Lock modes, the weakest first (PostgreSQL manual, "Table-Level Locks").
_MODES = (
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
    "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
)  # fmt: skip


def _summary(data: _Data) -> Line:
    if data.get("migrations") is not None:
        count = Counter(m["state"] for m in data["migrations"])
        said = (
            ", ".join(f"{state}: {count[state]}" for state in _SYMBOLS if count[state])
            or "no migrations to show"
        )
        return Line(0, ((said, ""),))
    count = Counter(v["verdict"] for v in data["verdicts"])
    if not count:
        return Line(0, (("nothing to do" if not data["errors"] else "nothing was done", ""),))
    words = {"holds": "done", "refuted": "failed or refused", "unproved": "not ended"}
    parts = [(f"{words[o]}: {count[o]}", STYLES[o]) for o in words if count[o]]
    return Line(0, tuple((("; " if i else "") + text, style) for i, (text, style) in enumerate(parts)))
