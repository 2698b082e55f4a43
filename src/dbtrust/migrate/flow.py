"""`migrate up` and `migrate down`: one order over both engines, under the locks of all targets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from dbtrust.migrate.hooks import run_hook
from dbtrust.migrate.order import LABELS, Item, Refused, Work, down_work, parse_number, up_work
from dbtrust.migrate.session import Session, below_the_other, tell
from dbtrust.model.errors import INTERRUPTED, DbtrustError
from dbtrust.model.ledger import Entry
from dbtrust.model.report import NotExamined, Problem

UP, DOWN = "migrate.up", "migrate.down"


def up(session: Session, *, to: str | None = None, out_of_order: bool = False) -> None:
    """Applies what is open; the session tells how it went. Where nothing is open nothing is locked or written."""

    def look() -> Work:
        order = session.order()
        limit = None if to is None else parse_number(to, order, "--to")
        work = up_work(order, to=limit, out_of_order=out_of_order, only=session.asked.only)
        _refuse_what_is_no_python(session, work.items)
        session.findings.clear()
        tell(session, order)
        for item in below_the_other(order, work.items):
            other = LABELS["mongo" if item.engine == "postgres" else "postgres"]
            session.note("migration.other_engine", item, f"a higher number of {other} was applied before it")
        return work

    session.guard(UP, lambda: _up(session, look))


def _refuse_what_is_no_python(session: Session, items: Sequence[Item]) -> None:
    """Before anything is applied: what is compiled here is what is run. Raises QueryFileError."""
    for item in items:
        if item.migration is not None:
            session.runners[item.engine].check(item.migration)


def _up(session: Session, look: Callable[[], Work]) -> None:
    work = look()
    if work.items:
        with session.locked():
            work = look()
            _apply_all(session, work)
    if work.stop is not None and not session.problems and not _refuted(session):
        session.problems.append(Problem.of(work.stop))
        _left(session, work.left)


def _apply_all(session: Session, work: Work) -> None:
    if not work.items:
        return
    run_hook(session, "before_up")
    for place, item in enumerate(work.items):
        if not _attempt(session, UP, item, lambda item=item: _apply(session, item)):
            _left(session, (*work.items[place + 1 :], *work.left))
            return
    run_hook(session, "after_up")


def _apply(session: Session, item: Item) -> None:
    runner, migration, progress = session.runners[item.engine], item.migration, session.asked.progress
    assert migration is not None
    began = time.monotonic()
    progress(f"applying {item.location.file}")
    entry, how = item.entry, "applied"
    if entry is not None and entry.state == "reverting":
        runner.down(migration, entry, progress)
        entry, how = None, "a down that had begun was finished; applied"
    elif entry is not None:
        how = "finished where an earlier run stopped"
    sql = item.engine == "postgres"
    if sql:
        run_hook(session, "before_each")
    done = runner.up(migration, entry, progress)
    if sql:
        run_hook(session, "after_each")
    found = _found(done)
    said = "; ".join((f"{how} in {_lasted(began)}", *found))
    session.judge(
        UP, item, "holds", said, evidence=_evidence(done, began) | ({"found": found} if found else {})
    )


def _found(entry: Entry) -> list[str]:
    """The steps whose probe said that they are in force, so that nothing of them was run."""
    return [
        f"{s.text}: its probe said done, apply was not called{' again' if s.stored.get('applied', True) else ''}"
        for s in entry.steps
        if s.stored.get("found")
    ]


def _evidence(entry: Entry, began: float) -> dict[str, object]:
    steps = {"steps": len(entry.steps)} if entry.steps else {}
    return {"duration_ms": round((time.monotonic() - began) * 1000, 1), "checksum": entry.checksum, **steps}


def down(session: Session, *, to: str | None = None) -> None:
    """Undoes the highest migration over both ledgers, or everything above `to`."""

    def look() -> list[Item]:
        order = session.order()
        limit = None if to is None else parse_number(to, order, "--to")
        items = down_work(order, to=limit, only=session.asked.only)
        session.findings.clear()
        for item in items:
            if item.edit is not None and not item.edit.harmless:
                session.note(
                    "migration.edited", item, "its up was edited after it was applied; the down of today is run",
                    warning=True,
                )  # fmt: skip
        _refuse_without_down(session, items)
        return items

    session.guard(DOWN, lambda: _down(session, look))


def _down(session: Session, look: Callable[[], list[Item]]) -> None:
    if not look():
        return
    with session.locked():
        items = look()
        for place, item in enumerate(items):
            if not _attempt(session, DOWN, item, lambda item=item: _undo(session, item)):
                _left(session, items[place + 1 :])
                return


def _undo(session: Session, item: Item) -> None:
    assert item.migration is not None and item.entry is not None
    began = time.monotonic()
    session.asked.progress(f"undoing {item.location.file}")
    session.runners[item.engine].down(item.migration, item.entry, session.asked.progress)
    lossy = item.migration.down.lossy if item.migration.down else ()
    evidence: dict[str, object] = {"duration_ms": round((time.monotonic() - began) * 1000, 1)}
    evidence |= {"lossy": list(lossy)} if lossy else {}
    session.judge(DOWN, item, "holds", f"undone in {_lasted(began)}", evidence=evidence)


def _refuse_without_down(session: Session, items: Sequence[Item]) -> None:
    """Before anything is undone: one that has no down would stop the run half-way. Raises Refused, QueryFileError."""
    for item in items:
        if item.migration is not None and not session.runners[item.engine].can_undo(item.migration):
            step = (
                f"write {item.written}_{item.name}.down.sql"
                if item.engine == "postgres"
                else "write down(db)"
            )
            raise Refused(
                f"migration {item.written} has no down", location=item.location, next=step, subject=item.subject,
                engine=item.engine,
            )  # fmt: skip


def _attempt(session: Session, check: str, item: Item, work: Callable[[], None]) -> bool:
    """Runs one migration; False where it ended the run."""
    try:
        work()
    except DbtrustError as error:
        session.fail(check, error, item)
        return False
    except KeyboardInterrupt:
        doing = "being applied" if check == UP else "being undone"
        step = "run the same command again: it goes on from there"
        session.problems.append(
            Problem(INTERRUPTED, f"interrupted while {item.written} was {doing}", item.location, step)
        )
        return False
    return True


def _refuted(session: Session) -> bool:
    return any(v.verdict == "refuted" for v in session.verdicts)


def _left(session: Session, items: Sequence[Item]) -> None:
    if items:
        names = ", ".join(item.written for item in items[:10]) + (", …" if len(items) > 10 else "")
        session.not_examined.append(NotExamined(f"not reached: {names}", "the one before it"))


def _lasted(began: float) -> str:
    """12 ms, 1.2 s."""
    seconds = time.monotonic() - began
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
