"""Rules over a snapshot: the findings, and what could not be examined, each thing once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dbtrust.model.monitor import EngineView
from dbtrust.model.report import Finding, NotExamined
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.ranking import ranked
from dbtrust.monitor.rule import Rule

#: What a section of a snapshot is for a reader, where its name alone does not say.
_WORDS = {
    "activity": "sessions", "archiver": "the archiving of WAL", "catalog": "indexes and constraints in full",
    "column_statistics": "what ANALYZE saw of columns", "columns": "columns and their types",
    "databases": "counters of databases", "index_bloat": "free space in indexes, measured",
    "index_usage": "the use of indexes", "indexes": "indexes and their counters", "io": "reads and writes by process",
    "locks": "who waits for whom", "log": "the server's log", "members": "the members of the replica set",
    "operations": "what runs now", "prepared": "prepared transactions", "profiles": "what the profiler kept",
    "profiler_settings": "the profiler's settings", "progress": "vacuums and index builds that run",
    "query_stats": "$queryStats", "receiver": "a standby's own replay", "relations": "last scans and moved rows",
    "replication": "the replicas", "samples": "samples of documents", "slots": "replication slots",
    "slow": "slow operations", "statement_texts": "texts of statements", "statements": "statements and their counters",
    "statements_info": "since when statements are counted", "status": "the server's own counters",
    "table_bloat": "free space in tables, measured", "tables": "tables and their counters", "totals": "what databases hold in all",
    "violations": "documents that validators would refuse", "wal": "WAL that was written",
    "widths": "the widths of rows",
}  # fmt: skip
_NUMBERS = ("bytes", "count", "ms", "per_second", "share")
#: What is said of a section that a snapshot lacks without saying why.
_UNSAID = "a snapshot that holds them: take it again with this version of dbtrust"


def judge(
    rules: Sequence[Rule], now: Snapshot, earlier: Snapshot | None
) -> tuple[list[Finding], list[NotExamined]]:
    """`earlier` is a snapshot of the same server, or None: then the counters' own age is the period.

    Each finding has its rank in its evidence (ranking.py). A section that is absent stands in `not_examined` under its name, followed by the rules that need it.
    """
    findings: list[Finding] = []
    blind: defaultdict[str, list[str]] = defaultdict(list)
    for rule in rules:
        missing = [name for name in rule.needs if name not in now.sections]
        for name in missing:
            blind[name].append(rule.id)
        if not missing:
            findings += _decided(rule, now, earlier)
    return findings, _once(_not_examined(now.not_examined, blind))


def _decided(rule: Rule, now: Snapshot, earlier: Snapshot | None) -> list[Finding]:
    """The findings of one rule; an error tells which rule it was, over which sections."""
    try:
        return [ranked(found) for found in rule.decide(now, earlier)]
    except Exception as error:
        # Whatever it is, it goes on: of a damaged file the flow says where, anything else is a bug.
        error.add_note(f"section {', '.join(rule.needs)} ({rule.id})")
        raise


def checked(view: EngineView) -> EngineView:
    """The same. Raises TypeError for a cell that is no number where its column has numbers."""
    for listing in view.listings:
        numbers = [column.key for column in listing.columns if column.unit in _NUMBERS]
        for key, value in ((key, row.get(key)) for row in listing.rows for key in numbers):
            if value is not None and not isinstance(value, (int, float)):
                raise TypeError(f"{listing.name}: {key} is no number")
    return view


def in_words(what: str) -> str:
    """A section's name as a reader is told it, and which part of it; anything else as it is."""
    section, colon, part = what.partition(": ")
    return f"{_WORDS[section]}: {part}" if colon and section in _WORDS else _WORDS.get(what, what)


def _once(items: Iterable[NotExamined]) -> list[NotExamined]:
    """One entry for each thing that is needed."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for item in items:
        found[item.needs].append(item.what)
    return [NotExamined(", ".join(what), needs) for needs, what in found.items()]


def _not_examined(said: Iterable[NotExamined], blind: dict[str, list[str]]) -> Iterable[NotExamined]:
    told: set[str] = set()
    for item in said:
        told.add(item.what)
        ids = blind.get(item.what)
        words = in_words(item.what)
        yield replace(item, what=f"{words} ({', '.join(ids)})" if ids else words)
    for name, ids in blind.items():
        if name not in told:
            yield NotExamined(f"{in_words(name)} ({', '.join(ids)})", _UNSAID)
