"""index.build_running: index builds that run now, or wait to begin."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding, sibling, text


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each build, a warning for one that waits for a lock: it stops the others behind it."""
    told: set[tuple[str, ...]] = set()
    for row in now.sections["operations"]:
        key = (row["database"], row["collection"], *row["indexes"])
        if row["index_build"] and key not in told:
            told.add(key)
            yield _finding(row, _down(now))


def _down(now: Snapshot) -> list[str]:
    """The members without which a build of the usual commit quorum (votingMembers) does not end."""
    return [
        row["member"] for row in now.sections.get("members", ())
        if row["votes"] and not row["arbiter"] and (row["health"] == 0 or row["state"] not in _HERE)
    ]  # fmt: skip


_HERE = frozenset({"PRIMARY", "SECONDARY"})


def _finding(row: Row, down: list[str]) -> Finding:
    names = ", ".join(row["indexes"]) or "an index"
    subject = f"collection:{row['database']}.{_collection(row)}"
    state = "waits for a lock" if row["waiting_for_lock"] else row["message"] or "runs"
    message = f"the build of {names} {state} for {duration(row['running_ms'])} on {row['member']}"
    fix = "let it end before others begin; a waiting one: end the transaction that holds the collection"
    if down and not row["waiting_for_lock"]:
        message += f"; {', '.join(down)} {'is' if len(down) == 1 else 'are'} not there"
        fix = _without(row, down)
    severity = "warning" if row["waiting_for_lock"] or down else "info"
    return finding(RULE.id, severity, subject, message, fix, opid=row["opid"], member=row["member"])


def _without(row: Row, down: list[str]) -> str:
    names = ", ".join(map(text, row["indexes"]))
    return (
        f"a build waits at its end for all voting members that hold data, unless it was begun otherwise: start "
        f"{', '.join(down)}, or let a majority be enough: {sibling(row)}.runCommand({{setIndexCommitQuorum: "
        f'{text(_collection(row))}, indexNames: [{names}], commitQuorum: "majority"}})'
    )


def _collection(row: Row) -> str:
    return str(row["collection"]).removeprefix("$cmd") or str(row["target"])


RULE = Rule("index.build_running", "mongo", "Index builds that run", ("operations",), decide)
