"""`migrate plan`: what `up` would do, tried on a database of dbtrust's own and seen there; nothing is looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

from dbtrust.engine.runs import Run
from dbtrust.migrate.order import Item, Order, order_of, parse_number, up_work
from dbtrust.migrate.session import ENGINES, Asked, Session, below_the_other, open_runner, read_folder, tell
from dbtrust.migrate.status import told
from dbtrust.model.engine import Engine
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import Config, Migration
from dbtrust.model.report import NotExamined, Problem, Report, ServerInfo
from dbtrust.source.migrations import History
from dbtrust.stage.bare import lazy_run


class Trial(Protocol):
    """An empty database of one engine on which migrations are tried."""

    info: ServerInfo

    def build(self, migration: Migration) -> None:
        """Applies what the target has already. Raises DbtrustError."""
        ...

    def steps(self, migration: Migration, found: list[Mapping[str, Any]]) -> None:
        """Applies one statement or step after the other and adds what each was seen to do. Raises DbtrustError."""
        ...

    def can_undo(self, migration: Migration) -> bool: ...


def plan(config: Config, asked: Asked, *, to: str | None, out_of_order: bool) -> Report:
    """The report with `migrations`, each with `steps`. Embedded servers, or a scratch database on a target."""
    history, hooks = read_folder(config)
    session = Session(config, history, hooks, asked)
    session.problems += [Problem.of(error) for error in history.errors]

    def work() -> None:
        order = _order(session)
        limit = None if to is None else parse_number(to, order, "--to")
        todo = up_work(order, to=limit, out_of_order=out_of_order, only=asked.only)
        tell(session, order)
        for item in below_the_other(order, todo.items):
            session.note("migration.other_engine", item, "a higher number of the other engine is applied")
        _untold(session, todo.left)
        session.migrations = []
        _try(session, order, todo.items)

    session.guard("migrate.up", work)
    return session.report()


def _order(session: Session) -> Order:
    """By the target's ledgers; without any target nothing is applied."""
    asked, history = session.asked, session.history
    if not any(asked.urls.values()):
        return order_of(history.migrations, {"postgres": {}, "mongo": {}})
    ledgers: dict[Engine, Any] = {}
    for engine in _engines(history):
        if url := asked.urls.get(engine):
            runner = open_runner(engine, url, session.config.root, asked.lock_wait)
            try:
                ledgers[engine] = runner.entries()
            finally:
                runner.close()
    return order_of(history.migrations, ledgers)


def _engines(history: History) -> list[Engine]:
    return [e for e in ENGINES if any(m.engine == e for m in history.migrations)]


def _untold(session: Session, left: Sequence[Item]) -> None:
    for item in left:
        needs = f"a target of its engine, or no target at all: --{item.engine} URL"
        session.not_examined.append(NotExamined(f"migration {item.written} and what follows", needs))
        break


def _try(session: Session, order: Order, todo: Sequence[Item]) -> None:
    assert session.migrations is not None
    with ExitStack() as stack:
        run = lazy_run(stack)
        trials: dict[Engine, Trial] = {}
        for item in todo:
            migration = item.migration
            assert migration is not None
            try:
                if item.engine not in trials:
                    trials[item.engine] = _trial(session, order, item.engine, run, stack)
                    session.servers[item.engine] = trials[item.engine].info
                if not _one(session, item, migration, trials[item.engine]):
                    return
            except DbtrustError as error:
                session.fail("migrate.up", error, item)
                return


def _one(session: Session, item: Item, migration: Migration, trial: Trial) -> bool:
    assert session.migrations is not None
    session.asked.progress(f"trying {migration.location.file}")
    found: list[Mapping[str, Any]] = []
    row: dict[str, Any] = {**told(item), "steps": found}
    session.migrations.append(row)
    try:
        row["can_undo"] = trial.can_undo(migration)
        trial.steps(migration, found)
    except DbtrustError as error:
        session.fail("migrate.up", error, item)
        return False
    finally:
        row["notes"] = _notes(migration, row)
    return True


def _notes(migration: Migration, row: Mapping[str, Any]) -> list[str]:
    notes = ["can be undone" if row.get("can_undo") else "cannot be undone: no down"]
    if migration.up is not None:
        alone = any(not step["transaction"] for step in row["steps"])
        whole = migration.up.options.get("transaction") != "false"
        notes.append(
            "one transaction" if whole else "not one transaction" if alone else "statement by statement"
        )
        lossy = (*migration.up.lossy, *(migration.down.lossy if migration.down else ()))
        notes += [f"loses {name}" for name in dict.fromkeys(lossy)]
    return notes


def _trial(session: Session, order: Order, engine: Engine, run: Callable[[], Run], stack: ExitStack) -> Trial:
    """A database with what the target has applied."""
    config, asked = session.config, session.asked
    if engine == "postgres":
        from dbtrust.migrate.plan_postgres import open_trial
    else:
        from dbtrust.migrate.plan_mongo import open_trial
    url = asked.urls.get(engine)
    trial = stack.enter_context(open_trial(config, run, url, asked.progress, session.findings))
    for item in order.items:
        if item.engine == engine and item.state == "applied" and item.migration is not None:
            asked.progress(f"building what is applied: {item.location.file}")
            trial.build(item.migration)
    return trial
