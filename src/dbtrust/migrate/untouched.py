"""UPDATEs and DELETEs that no row met: what they lose was not seen, and nothing is said to hold of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from dbtrust.engine.postgres.trial import gives_row
from dbtrust.migrate.filling import Connection
from dbtrust.migrate.lossy import Declared, Loss
from dbtrust.migrate.rich import conditions_of
from dbtrust.model.catalog import Catalog
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict

#: So much of a statement is shown, so many of them are, and so many are looked for.
_SHOWN, _MANY, _MOST = 120, 3, 20
_NEXT = "give [data] of dbtrust.toml a generator with rows that it touches, or declare with -- lossy: what it may lose"


def untouched(connection: Connection, migration: Migration, declared: Declared, before: Catalog) -> list[str]:
    """The statements of an up that is about to run for which no row is there, and whose loss is not declared.

    What cannot be asked before the up has begun (a column that it adds first) is left out.
    """
    found = (
        " ".join(text.split())
        for text, one in conditions_of(migration)
        if not any(declared.excuses(loss) for loss in _losses(one.schema, one.table, one.written, before))
        and gives_row(connection, one.asked) is False
    )
    return list(dict.fromkeys(islice(found, _MOST)))


def _losses(schema: str, table: str, columns: Sequence[str], before: Catalog) -> list[Loss]:
    """What the statement would lose at most, in each table that it may mean."""
    paths = [o.path for o in before.objects if o.kind == "table" and o.path[1] == table]
    return [
        Loss((path[0], path[1]), tuple(columns), {}, {} if columns else None)
        for path in paths
        if schema in ("", path[0])
    ]


def with_untouched(found: Verdict, statements: Sequence[str]) -> Verdict:
    """A verdict that holds over the rows that were there is open where these met none of them."""
    if not statements or found.verdict != "holds":
        return found
    said = "; ".join(t if len(t) <= _SHOWN else f"{t[:_SHOWN]}…" for t in statements[:_MANY])
    message = f"no row was found that this would touch, so that what it loses was not seen: {said}"
    evidence = {**found.evidence, "not tried": list(statements)}
    return replace(
        found, verdict="unproved", reason="no_data", message=message, next=_NEXT, evidence=evidence
    )
