"""`migrate adopt`: the ledger of another tool becomes ours; that tool's is left as it is."""

from __future__ import annotations

from collections.abc import Sequence

from dbtrust.migrate.foreign import mapped, of_app
from dbtrust.migrate.marks import record_adopted
from dbtrust.migrate.order import LABELS, Item, Refused, agreeing
from dbtrust.migrate.session import Session
from dbtrust.model.engine import Engine
from dbtrust.model.errors import ServerError
from dbtrust.model.foreign import ForeignLedger
from dbtrust.model.report import NotExamined

LOOKED_FOR = (
    "alembic_version, schema_migrations, flyway_schema_history, django_migrations, goose_db_version, gorp_migrations, "
    "__diesel_schema_migrations, _sqlx_migrations, and on MongoDB changelog, schema_migrations"
)


def adopt(session: Session, *, tool: str | None = None, app: str | None = None, dry: bool = False) -> None:
    """Marks what the other tool has applied; `tool` chooses among several, `app` one of Django's, `dry` only tells."""

    def look() -> list[tuple[ForeignLedger, list[Item]]]:
        session.not_examined.clear()
        found = [ledger for engine in session.runners for ledger in _chosen(_read(session, engine), tool)]
        if not found:
            raise Refused("no ledger of another tool was found", next=f"looked for {LOOKED_FOR}")
        return [(ledger, _ours(session, ledger, app)) for ledger in found]

    def work() -> None:
        if dry:
            for ledger, items in look():
                for item in items:
                    session.judge("migrate.up", item, "holds", f"would be taken over from {ledger.tool}")
            return
        if any(items for _, items in look()):
            with session.locked():
                for ledger, items in look():
                    record_adopted(session, items, ledger.tool)

    session.guard("migrate.up", work)


def _ours(session: Session, ledger: ForeignLedger, app: str | None) -> list[Item]:
    """What is to be marked; what has no counterpart is told."""
    items = session.order().within(frozenset({ledger.engine}))
    ledger, others = of_app(ledger, app, session.config.name)
    result = mapped(ledger, items)
    for row, why in [*result.unmapped, *((row, "it is of another app") for row in others)]:
        said = f"{row.version} {row.name}" if row.name and row.name != row.version else row.version
        session.not_examined.append(NotExamined(f"{ledger.where} of {ledger.tool}: {said}", why))
    strange = [item for item in items if item.state == "unknown"]
    return agreeing([*result.items, *strange])


def _chosen(ledgers: Sequence[ForeignLedger], tool: str | None) -> list[ForeignLedger]:
    """The ledger of one engine. Raises Refused where several are there and none is named."""
    kept = [one for one in ledgers if tool is None or tool in one.tool.split(" or ")]
    if len(kept) > 1:
        names = ", ".join(f"{one.where} ({one.tool})" for one in kept)
        raise Refused(
            f"{LABELS[kept[0].engine]} has ledgers of several tools: {names}",
            next="choose one with --from TOOL",
        )
    return kept


def _read(session: Session, engine: Engine) -> list[ForeignLedger]:
    url = session.asked.urls[engine]
    assert url is not None
    return _read_postgres(url) if engine == "postgres" else _read_mongo(url)


def _read_postgres(url: str) -> list[ForeignLedger]:
    import psycopg

    from dbtrust.engine.postgres.connect import connect_reading
    from dbtrust.engine.postgres.errors import describe
    from dbtrust.engine.postgres.foreign import foreign_ledgers

    with connect_reading(url, timeout_ms=30_000) as connection:
        try:
            return foreign_ledgers(connection)
        except psycopg.Error as error:
            step = "the role needs SELECT on the other tool's table"
            raise ServerError(
                f"the other tool's ledger cannot be read: {describe(error)}", next=step
            ) from error


def _read_mongo(url: str) -> list[ForeignLedger]:
    from pymongo.errors import PyMongoError

    from dbtrust.engine.mongo.connect import connect
    from dbtrust.engine.mongo.errors import describe
    from dbtrust.engine.mongo.foreign import foreign_ledgers
    from dbtrust.engine.mongo.urls import database_of

    client = connect(url)
    try:
        return foreign_ledgers(client[database_of(url)])
    except PyMongoError as error:
        step = "the user needs to read the database"
        raise ServerError(f"the other tool's ledger cannot be read: {describe(error)}", next=step) from error
    finally:
        client.close()
