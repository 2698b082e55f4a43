"""`migrate baseline`, `adopt` and `repair`: what a ledger says, changed without running a migration."""

from __future__ import annotations

from collections.abc import Sequence

from dbtrust.migrate.order import LABELS, Item, Refused, agreeing, parse_number
from dbtrust.migrate.session import Session
from dbtrust.model.errors import USAGE
from dbtrust.model.ledger import Entry, Origin, StepEntry
from dbtrust.model.location import NOWHERE
from dbtrust.model.project import Migration

UP = "migrate.up"


def baseline(session: Session, to: str) -> None:
    """Marks everything up to and with `to` as applied, and runs nothing of it."""

    def look() -> list[Item]:
        order = session.order()
        limit = parse_number(to, order, "--to")
        return agreeing([item for item in order.within(session.asked.only) if item.number <= limit])

    def mark() -> None:
        if look():
            with session.locked():
                for item in look():
                    _record(session, item, "baseline", "taken as applied; nothing was run")

    session.guard(UP, mark)


def repair(session: Session, number: str, mark: str, *, whole: bool = False) -> None:
    """Says of one migration that it is applied ("done") or is not ("pending"); nothing of it is run.

    Of a half-run one only the step that is in doubt is meant, unless `whole`. Where steps have run or were
    interrupted, and none is in doubt, that is refused: it would forget, or leave out, what was done of them.
    """

    def work() -> None:
        session.order()  # what is no ledger is said before anybody waits for its lock
        with session.locked():
            order = session.order()
            parsed = parse_number(number, order, "repair")
            item = next((i for i in order.items if i.number == parsed), None)
            if item is None:
                raise Refused(f"repair {number}: no migration of that number", code=USAGE)
            _refuse_untold(item)
            if whole or not _settled(session, item, done=mark == "done"):
                (_done if mark == "done" else _pending)(session, item)

    session.guard(UP, work)


def _refuse_untold(item: Item) -> None:
    if item.state == "untold":
        raise Refused(
            f"migration {item.written} is for {LABELS[item.engine]}, which has no target",
            location=item.location, next=f"give --{item.engine} URL", code=USAGE,
        )  # fmt: skip


def _settled(session: Session, item: Item, *, done: bool) -> bool:
    """A half-run migration that stopped in a step of which nobody can say whether it ran: the answer is for that step.

    Raises Refused where no step is in doubt, but some have run or were interrupted; not where the file is gone, so that nothing can go on.
    """
    entry, migration = item.entry, item.migration
    if entry is None or migration is None or entry.state == "done":
        return False
    begun = [step for step in entry.steps if step.state != "pending"]
    step = next((s for s in begun if s.state == "running" and s.at_least_once), None)
    if step is None:
        if begun:
            _refuse_half(item, begun)
        return False
    session.runners[entry.engine].settle(migration, entry, done=done)
    what = "has run" if done else "has not run"
    what = what.replace("run", "been undone") if entry.state == "reverting" else what
    session.judge(
        UP, item, "holds", f"step {step.step} counts as one that {what}; nothing was run",
        next="finish with dbtrust migrate up", evidence={"step": step.text},
    )  # fmt: skip
    return True


def _refuse_half(item: Item, begun: Sequence[StepEntry]) -> None:
    """An interrupted step that `up` can go on with may have done any part of its work: it is not as if it had not run."""
    mark = f"dbtrust migrate repair {item.written} --whole --mark done|pending"
    ran = sum(step.state == "done" for step in begun)
    open_ = "".join(f", {step.text} was interrupted" for step in begun if step.state == "running")
    raise Refused(
        f"migration {item.written} is half run ({ran} of the {len(begun)} steps that began are in force{open_}), and no step"
        " is in doubt: up can go on",
        location=item.location, subject=item.subject, engine=item.engine,
        next=f"finish it with dbtrust migrate up; if you finished or removed all of it by hand: {mark}",
    )  # fmt: skip


def _done(session: Session, item: Item) -> None:
    if item.migration is None:
        raise Refused(
            f"migration {item.written} has no file, so it cannot be marked as done",
            next=f"bring its file back, or --mark pending {item.written}", code=USAGE,
        )  # fmt: skip
    was = _was(item)
    text = " with the text of today" if item.edit is not None else ""
    _record(session, item, "marked", f"marked as applied{text}; it was {was} before; nothing was run")


def _pending(session: Session, item: Item) -> None:
    if item.entry is None:
        session.judge(UP, item, "holds", "it was pending already")
        return
    was = _was(item)
    runner = session.runners[item.entry.engine]
    runner.forget(item.migration if item.state != "conflict" and item.migration else _from_entry(item.entry))
    session.judge(UP, item, "holds", f"marked as pending; it was {was} before; nothing was run")


def _was(item: Item) -> str:
    edited = item.edit is not None and not item.edit.harmless
    return "applied with another text" if edited else item.state


def _from_entry(entry: Entry) -> Migration:
    """A migration whose file is gone, as far as the ledger knows it."""
    return Migration(entry.engine, entry.written, entry.name, NOWHERE)


def _record(session: Session, item: Item, origin: Origin, message: str) -> None:
    assert item.migration is not None
    session.runners[item.engine].record(item.migration, origin)
    session.judge(UP, item, "holds", message, evidence={"origin": origin})


def record_adopted(session: Session, items: Sequence[Item], tool: str) -> None:
    """Marks what another tool has applied; called with the locks held."""
    for item in items:
        _record(session, item, "adopted", f"taken over from {tool}; nothing was run")
