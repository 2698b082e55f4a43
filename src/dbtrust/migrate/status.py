"""`migrate status`: every migration with what the ledgers say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dbtrust.migrate.order import LABELS, Item, Order
from dbtrust.migrate.session import Session, tell
from dbtrust.model.errors import FAILED, NO_SERVER, DbtrustError
from dbtrust.model.report import NotExamined, Problem

_OPEN = ("pending", "late", "running", "reverting")


def status(session: Session, *, check: bool = False) -> None:
    """Fills `migrations`; nothing is locked or written. `check`: what is open or edited is an error (exit code 1)."""
    if session.problems:
        return
    try:
        order = session.order()
    except DbtrustError as error:
        session.problems.append(Problem.of(error))
        return
    tell(session, order)
    items = order.within(session.asked.only)
    session.migrations = [told(item) for item in items]
    _tell_edited(session, items)
    _tell_untold(session, order, items, check=check)
    names = [
        item.written
        for item in items
        if item.state in _OPEN or (item.state == "unknown" and not item.is_done)
    ]
    if check and names:
        step = "run dbtrust migrate up"
        session.problems.append(Problem(FAILED, f"not applied: {', '.join(names)}", next=step))


def _tell_edited(session: Session, items: Sequence[Item]) -> None:
    for item in items:
        if item.state == "conflict" and item.entry is not None:
            message = f"it is applied in {LABELS[item.entry.engine]}'s ledger"
            session.judge("migrate.up", item, "refuted", message, next="give the file another number")
        if item.edit is not None and not item.edit.harmless:
            session.judge(
                "migrate.up", item, "refuted", "it was applied and has been edited since",
                next=f"put the old text back, or: dbtrust migrate repair --mark done {item.written}",
                evidence={"difference": list(item.edit.difference)},
            )  # fmt: skip


def _tell_untold(session: Session, order: Order, items: Sequence[Item], *, check: bool) -> None:
    for engine in dict.fromkeys(item.engine for item in items if item.engine not in order.targets):
        if check:
            message = (
                f"whether the migrations of {LABELS[engine]} are applied cannot be said: it has no target"
            )
            other = "postgres" if engine == "mongo" else "mongo"
            step = f"give --{engine} URL, or ask for --only {other}"
            session.problems.append(Problem(NO_SERVER, message, next=step))
        else:
            session.not_examined.append(
                NotExamined(f"the migrations of {LABELS[engine]}", f"a target: --{engine} URL")
            )


def told(item: Item) -> Mapping[str, object]:
    """One migration for the document (schema.json, migration)."""
    entry = item.entry
    found: dict[str, object] = {
        "number": item.written, "name": item.name, "engine": item.engine, "state": item.state,
        "location": item.location.to_dict(),
    }  # fmt: skip
    if item.edit is not None:
        found["edited"] = "comments" if item.edit.harmless else "statements"
    if entry is not None:
        found |= {
            "origin": entry.origin, "at": entry.at, "who": entry.who, "duration_ms": entry.duration_ms,
            "dbtrust": entry.dbtrust,
        }  # fmt: skip
        if entry.steps:
            found["steps_done"] = sum(step.state == "done" for step in entry.steps)
            found["steps_known"] = len(entry.steps)
    return found
