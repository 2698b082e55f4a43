"""What a second run of an up does: nothing, or something else in the catalog or in the rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from dbtrust.engine.postgres.table_rows import Name, TableRows, rows_of
from dbtrust.judge.catalog import diff
from dbtrust.migrate.lossy import keys_of
from dbtrust.migrate.row_outcome import compared_rows
from dbtrust.migrate.world import Trial
from dbtrust.model.catalog import Catalog
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import Migration

#: How the answer begins where the second run does nothing.
IDEMPOTENT = "idempotent"


def second_run(trial: Trial, migration: Migration, after: Catalog, tables: Collection[Name]) -> str:
    """Runs the up on a trial where it has run already, and leaves what it does; `tables`: those whose rows are compared."""
    first = rows_of(trial.connection, tables)
    try:
        trial.apply(migration)
    except DbtrustError as error:
        return f"not {IDEMPOTENT}: {error.message}"
    if differences := diff(after, trial.read()):
        return f"not {IDEMPOTENT}: {differences[0]}"
    if changed := _changed(first, rows_of(trial.connection, tables), after):
        return f"not {IDEMPOTENT}: {changed}"
    return f"{IDEMPOTENT}: the second run leaves the same catalog and the same rows"


def _changed(first: Mapping[Name, TableRows], then: Mapping[Name, TableRows], after: Catalog) -> str:
    """A stamp that a trigger wrote is no change."""
    found = compared_rows(first, then, keys_of(after), datetime.now(UTC), (), None)
    return str(found[0]) if found else ""


def every_table(catalog: Catalog) -> list[Name]:
    return [(o.path[0], o.path[1]) for o in catalog.objects if o.kind == "table"]
