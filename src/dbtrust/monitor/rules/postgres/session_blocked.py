"""session.blocked: sessions wait for a lock that another one holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbtrust.judge.rules.indexes import named
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, who

#: ms that a wait may take, that it may take at most, and how many may wait.
_SHORT, _LONG, _MANY = 50, 10_000, 5


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each holder that waits for nobody: who it is, and all that wait behind it."""
    waits = {row["pid"]: row for row in now.sections["locks"] if (row["waited_ms"] or 0) >= _SHORT}
    sessions = {row["pid"]: row for row in now.sections["activity"]}
    behind = _behind(waits)
    for holder in sorted(set(behind) - set(waits), key=str):
        pids = behind[holder]
        longest = max(waits[pid]["waited_ms"] or 0 for pid in pids)
        row = sessions.get(holder) if isinstance(holder, int) else None
        yield finding(
            RULE.id, "error" if longest >= _LONG or len(pids) >= _MANY else "warning", _subject(holder),
            f"{_holder(row, holder)} blocks {len(pids)} sessions, one for {duration(longest)}",
            _fix(holder),
            waiting=sorted(pids), waited_ms=longest, state=row["state"] if row else None,
            transaction_ms=row["xact_ms"] if row else None,
            on=sorted({_on(waits[pid]) for pid in pids}), query=row["query"] if row else "",
        )  # fmt: skip


#: A session's pid, the gid of a prepared transaction, or 0 for one whose gid is not known.
_Holder = int | str


def _subject(holder: _Holder) -> str:
    return f"session:{holder}" if isinstance(holder, int) else f"transaction:{holder}"


def _fix(holder: _Holder) -> str:
    if holder == 0:
        return "COMMIT PREPARED or ROLLBACK PREPARED it (SELECT * FROM pg_prepared_xacts)"
    if isinstance(holder, int):
        return f"SELECT pg_terminate_backend({holder});"
    gid = holder.replace("'", "''")
    return f"COMMIT PREPARED '{gid}'; or ROLLBACK PREPARED '{gid}';"


def _holders(row: Row) -> list[_Holder]:
    """Prepared transactions have no session, and stand as 0 among those that block."""
    sessions: list[_Holder] = [pid for pid in row["blocked_by"] if pid]
    return sessions + list(row.get("prepared") or (0,)) if 0 in row["blocked_by"] else sessions


def _behind(waits: Mapping[int, Row]) -> dict[_Holder, set[int]]:
    """Holder -> all who wait for it, directly or behind another one; a cycle ends where it began."""
    found: dict[_Holder, set[int]] = {}
    for pid in waits:
        todo, seen = [pid], {pid}
        while todo:
            for holder in _holders(waits[todo.pop()]):
                found.setdefault(holder, set()).add(pid)
                if isinstance(holder, int) and holder in waits and holder not in seen:
                    seen.add(holder)
                    todo.append(holder)
    return found


def _holder(row: Row | None, pid: _Holder) -> str:
    if isinstance(pid, str):
        return f"the prepared transaction {pid}"
    if pid == 0:
        return "a prepared transaction"
    return f"session {pid}" if row is None else f"{who(row)}, {row['state'] or 'state unknown'},"


def _on(row: Row) -> str:
    return named(row["schema"], row["relation"]) if row["relation"] else row["kind"]


RULE = Rule(
    "session.blocked",
    "postgres",
    "Blocking chains",
    (
        "locks",
        "activity",
    ),
    decide,
)
