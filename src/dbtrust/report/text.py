"""The text output: verdicts by engine and subject, findings, what was left out, and one line of counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dbtrust.model.report import Report
from dbtrust.report.document import document, visible
from dbtrust.report.lines import Line, paint, symbols
from dbtrust.report.monitor import monitor_findings, monitor_tables
from dbtrust.report.words import ENGINES, STYLES, WORDS, clipped, evidence_facts, node_title, place

_Data = dict[str, Any]


def render_text(
    report: Report, *, width: int | None = None, color: bool = False, unicode: bool = True,
    quiet: bool = False, verbose: bool = False, errors: bool = True,
) -> str:  # fmt: skip
    """Lines for a person.

    `width` in terminal cells wraps them (None: never), `color` adds ANSI styles, `unicode` False keeps to
    ASCII symbols. `quiet` leaves out what holds, `verbose` adds the evidence, `errors` the errors (which the
    command line prints on stderr). A report of nothing but errors is empty text without `errors`.
    """
    data = document(report)
    if not errors and data["errors"] and not (data["verdicts"] or data["findings"]):
        return ""
    lines = [head_line(data), *_body(data, quiet=quiet, verbose=verbose)]
    lines += _errors(data) if errors else []
    lines += [Line(0), _summary(data)]
    return paint(lines, width=width, color=color, symbols=symbols(unicode))


def head_line(data: _Data) -> Line:
    """dbtrust 0.1.0, project shop, PostgreSQL 17.10 (embedded)."""
    parts = [(f"dbtrust {data['dbtrust']}", "bold")]
    parts += [(f", project {visible(data['project'])}", "")] if data["project"] else []
    for engine, server in data["servers"].items():
        if server:
            how = "embedded" if server["embedded"] else "yours"
            parts.append((f", {ENGINES[engine]} {server['version']} ({how})", ""))
    return Line(0, tuple(parts))


def _body(data: _Data, *, quiet: bool, verbose: bool) -> Iterator[Line]:
    """What was judged; a report of `monitor` has no verdicts and shows its tables below."""
    if "monitor" in data:
        yield from monitor_findings(data, verbose=verbose)
        yield from left_out_lines(data)
        yield from () if quiet else monitor_tables(data)
    else:
        yield from _verdicts(data, quiet=quiet, verbose=verbose)
        yield from _findings(data)
        yield from left_out_lines(data)


def _verdicts(data: _Data, *, quiet: bool, verbose: bool) -> Iterator[Line]:
    for engine, subjects in grouped(data["verdicts"]).items():
        shown = {s: [v for v in vs if not (quiet and v["verdict"] == "holds")] for s, vs in subjects.items()}
        if any(shown.values()):
            yield Line(0)
            yield Line(0, ((ENGINES[engine], "bold"),))
        for subject, verdicts in shown.items():
            if verdicts:
                yield Line(2, ((visible(subject), "bold"),))
            for verdict in verdicts:
                yield from _verdict(verdict, verbose=verbose)


def grouped(verdicts: Iterable[_Data]) -> dict[str | None, dict[str, list[_Data]]]:
    """Engine -> subject -> verdicts; engines in a fixed order, subjects as the report has them."""
    groups: dict[str | None, dict[str, list[_Data]]] = {engine: {} for engine in ("postgres", "mongo", None)}
    for verdict in verdicts:
        groups[verdict["engine"]].setdefault(verdict["subject"], []).append(verdict)
    return {engine: subjects for engine, subjects in groups.items() if subjects}


def _verdict(verdict: _Data, *, verbose: bool) -> Iterator[Line]:
    outcome: str = verdict["verdict"]
    title = verdict["claim"] or verdict["check"]
    bad = outcome in ("refuted", "unproved")
    tail = f": {verdict['message']}" if not bad and not verdict["claim"] and verdict["message"] else ""
    tail = tail if verbose else clipped(tail)
    yield _entry(outcome, WORDS[outcome], f"{title}{tail}", verdict["location"])
    if bad or verbose or "difference" in verdict["evidence"]:
        yield from detail_lines(verdict, said=bool(tail), verbose=verbose)


def detail_lines(verdict: Mapping[str, Any], *, said: bool, verbose: bool) -> Iterator[Line]:
    """What stands below a verdict; `said`: its message stands in the verdict's own line."""
    yield from map(_detail, _details(verdict, said=said, verbose=verbose))


def _detail(told: tuple[str, str]) -> Line:
    """name: text; a line of a diff stands alone, and so does one that goes on with the text above (no name)."""
    key, text = told
    name = () if key == "difference" else ((f"{visible(key)}: " if key else "  ", "dim"),)
    return Line(8, (*name, (visible(text), "")), hang=2)


def _entry(symbol: str, word: str, text: str, location: _Data) -> Line:
    """One verdict or finding: its symbol and word in a column, then the text and the place."""
    where = place(location)
    head = (f"@{symbol} {word:<8}  ", STYLES[symbol])
    return Line(4, (head, (visible(text), ""), (f"  {visible(where)}" if where else "", "dim")), hang=4)


def _details(verdict: Mapping[str, Any], *, said: bool, verbose: bool) -> Iterator[tuple[str, str]]:
    """The same as (name, text)."""
    reason = f" ({verdict['reason']})" if verdict["reason"] else ""
    if verdict["message"] and not said:
        yield (
            "because" if verdict["verdict"] in ("refuted", "unproved") else "seen",
            f"{verdict['message']}{reason}",
        )
    evidence: Mapping[str, Any] = verdict["evidence"]
    if isinstance(evidence.get("example"), str) and evidence["example"]:
        yield "example", evidence["example"]
    if title := node_title(evidence.get("node")):
        yield "plan node", title
    if verbose or verdict["verdict"] == "refuted" or "difference" in evidence:
        yield from evidence_facts(evidence, full=verbose)
    if verdict["next"]:
        first, *more = verdict["next"].splitlines()
        yield "next", first
        yield from (("", line) for line in more)


def _findings(data: _Data) -> Iterator[Line]:
    if data["findings"]:
        yield Line(0)
        yield Line(0, (("Findings", "bold"),))
    for finding in data["findings"]:
        text = f"{finding['rule']}  {finding['subject']}: {finding['message']}"
        yield _entry(finding["severity"], finding["severity"], text, finding["location"])
        if finding["fix"]:
            yield Line(8, (("fix: ", "dim"), (visible(finding["fix"]), "")), hang=2)


def left_out_lines(data: _Data) -> Iterator[Line]:
    """What was not examined, and what it needs."""
    if data["not_examined"]:
        yield Line(0)
        yield Line(0, (("Not examined", "bold"),))
    for item in data["not_examined"]:
        yield Line(
            4,
            ((visible(item["what"]), ""), (f": {visible(item['needs'])}" if item["needs"] else "", "dim")),
            hang=2,
        )


def _errors(data: _Data) -> Iterator[Line]:
    if data["errors"]:
        yield Line(0)
        yield Line(0, (("Errors", "bold"),))
    for error in data["errors"]:
        yield Line(4, ((error_line(error), STYLES["refuted"]),), hang=2)


def error_line(error: Mapping[str, Any]) -> str:
    """file:line:column: error: message (the next step), on one line."""
    where = place(error["location"])
    step = f" ({visible(error['next'])})" if error["next"] else ""
    return (
        f"{visible(where)}: error: {visible(error['message'])}{step}"
        if where
        else f"error: {visible(error['message'])}{step}"
    )


def _summary(data: _Data) -> Line:
    count = data["summary"]
    findings = ", ".join(f"{name} {count[name]}" for name in ("errors", "warnings", "infos") if count[name])
    told = [(f"findings: {findings or 'none'}", "")]
    told += [(f"; errors: {len(data['errors'])}", STYLES["refuted"])] if data["errors"] else []
    if "monitor" in data:
        return Line(0, tuple(told))
    reasons = Counter(v["reason"] for v in data["verdicts"] if v["verdict"] == "unproved")
    why = f" ({', '.join(f'{reason}: {n}' for reason, n in sorted(reasons.items()))})" if reasons else ""
    parts = [(f"holds: {count['holds']}", STYLES["holds"] if count["holds"] else "")]
    parts += [(f", refuted: {count['refuted']}", STYLES["refuted"] if count["refuted"] else "")]
    parts += [(f", unproved: {count['unproved']}{why}", STYLES["unproved"] if count["unproved"] else "")]
    parts += [(f", not applicable: {count['not_applicable']}", "")] if count["not_applicable"] else []
    return Line(0, (*parts, ("; ", ""), *told))
