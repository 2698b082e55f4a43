"""Every rule over a PostgreSQL catalog."""

from __future__ import annotations

from dbtrust.judge.rules.foreign_keys import foreign_keys_without_index
from dbtrust.judge.rules.patterns import pipe_in_class
from dbtrust.judge.rules.redundancy import redundant_indexes
from dbtrust.model.catalog import Catalog
from dbtrust.model.report import Finding


def postgres_findings(catalog: Catalog) -> list[Finding]:
    """What the rules say of one catalog."""
    return [*redundant_indexes(catalog), *foreign_keys_without_index(catalog), *pipe_in_class(catalog)]
