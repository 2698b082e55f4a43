"""`monitor diagnose` as text: findings by severity first, then what was not examined, then the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dbtrust.report.document import visible
from dbtrust.report.lines import Line
from dbtrust.report.words import ENGINES, STYLES, clipped, flat, number

_Data = dict[str, Any]
#: Rows of a table that a terminal gets; JSON has them all.
_ROWS = 10
SEVERITIES = ("error", "warning", "info")
#: Characters of a statement.
_CODE = 90


def in_rank(findings: Iterable[_Data]) -> list[_Data]:
    """By severity, then by `impact` in the evidence, the greatest first, then by rule and subject."""
    return sorted(
        findings, key=lambda f: (SEVERITIES.index(f["severity"]), -_impact(f), f["rule"], f["subject"])
    )


def _impact(finding: _Data) -> float:
    return float(finding["evidence"].get("impact") or 0.0)


def monitor_findings(data: _Data, *, verbose: bool) -> Iterator[Line]:
    """The findings, the worst first; `verbose` with their evidence."""
    ranked = in_rank(data["findings"])
    for severity in SEVERITIES:
        found = [f for f in ranked if f["severity"] == severity]
        if found:
            yield Line(0)
            yield Line(0, ((f"{severity.capitalize()}s ({len(found)})", STYLES[severity]),))
        for finding in found:
            yield from _finding(finding, verbose=verbose)


def _finding(finding: _Data, *, verbose: bool) -> Iterator[Line]:
    head = (f"@{finding['severity']} {finding['rule']}", STYLES[finding["severity"]])
    yield Line(2, (head, (f"  {visible(finding['subject'])}", "bold")), hang=4)
    yield Line(6, ((visible(finding["message"]), ""),), hang=2)
    if finding["fix"]:
        yield Line(6, (("fix: ", "dim"), (visible(finding["fix"]), "")), hang=2)
    evidence: Mapping[str, Any] = finding["evidence"]
    if query := evidence.get("query"):
        yield Line(6, (("statement: ", "dim"), (visible(_one_line(str(query), verbose)), "")), hang=2)
    for key, value in evidence.items() if verbose else ():
        if key != "query":
            yield Line(
                6, ((f"{visible(key.replace('_', ' '))}: ", "dim"), (visible(flat(value)), "")), hang=2
            )


def monitor_tables(data: _Data) -> Iterator[Line]:
    """The tables of each engine."""
    for engine, view in data["monitor"].items():
        if view is None:
            continue
        since = f", counted since {view['since']}" if view["since"] else ""
        since = since or f", counters {visible(str(view['facts'].get('counters') or 'of an unknown age'))}"
        yield Line(0)
        yield Line(0, ((f"{ENGINES[engine]}", "bold"), (f", read {view['taken_at']}{since}", "dim")))
        for listing in view["listings"]:
            if listing["rows"]:
                yield Line(0)
                yield from _table(listing)


def _table(listing: _Data) -> Iterator[Line]:
    rows = [[cell(row[c["key"]], c["unit"]) for c in listing["columns"]] for row in listing["rows"][:_ROWS]]
    heads = [visible(c["title"]) for c in listing["columns"]]
    widths = [max(len(head), *(len(row[n]) for row in rows)) for n, head in enumerate(heads)]
    rest = f" ({len(rows)} of {listing['total']})" if listing["total"] > len(rows) else ""
    yield Line(2, ((visible(listing["title"]), "bold"), (rest, "dim")))
    if listing["note"]:
        yield Line(2, ((visible(listing["note"]), "dim"),), hang=2)
    left = [c["unit"] in ("text", "name", "code", "time") for c in listing["columns"]]
    yield Line(4, ((_row(heads, widths, left), "dim"),))
    yield from (Line(4, ((_row(row, widths, left), ""),)) for row in rows)


def _row(cells: list[str], widths: list[int], left: list[bool]) -> str:
    pairs = zip(cells, widths, left, strict=True)
    return "  ".join(c.ljust(w) if at_left else c.rjust(w) for c, w, at_left in pairs).rstrip()


def cell(value: Any, unit: str) -> str:
    """A value as a reader wants it in its unit; a dash for none."""
    if value is None:
        return "-"
    if unit == "bytes":
        return _bytes(float(value))
    if unit == "ms":
        return f"{float(value):,.1f} ms" if value < 10_000 else f"{float(value) / 1000:,.1f} s"
    if unit == "share":
        return f"{float(value):.1%}"
    if unit in ("count", "per_second"):
        return number(round(value, 2))
    text = flat(value) if isinstance(value, list) else str(value)
    return visible(_one_line(text, False)) if unit == "code" else visible(clipped(text, 60))


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"


def _one_line(text: str, whole: bool) -> str:
    words = " ".join(text.split())
    return words if whole else clipped(words, _CODE)
