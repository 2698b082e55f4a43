"""dbtrust proves that database code does what it says.

Importing this package costs nothing: each public name is imported from its home when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dbtrust.model.version import VERSION

if TYPE_CHECKING:
    from dbtrust.checks.api import check as check
    from dbtrust.model.errors import ConfigError as ConfigError
    from dbtrust.model.errors import ContractError as ContractError
    from dbtrust.model.errors import DbtrustError as DbtrustError
    from dbtrust.model.errors import DriftError as DriftError
    from dbtrust.model.errors import QueryFileError as QueryFileError
    from dbtrust.model.errors import RowCountError as RowCountError
    from dbtrust.model.errors import ServerError as ServerError
    from dbtrust.model.report import Report as Report
    from dbtrust.queries.collection import Collection as Collection
    from dbtrust.queries.marks import claim as claim
    from dbtrust.queries.marks import example as example
    from dbtrust.queries.marks import proof as proof
    from dbtrust.queries.mongo import AsyncMongoQueries as AsyncMongoQueries
    from dbtrust.queries.mongo import MongoQueries as MongoQueries
    from dbtrust.queries.sql import Affected as Affected
    from dbtrust.queries.sql import AsyncSqlQueries as AsyncSqlQueries
    from dbtrust.queries.sql import SqlQueries as SqlQueries

__version__ = VERSION

_HOMES = {
    "check": "dbtrust.checks.api",
    **dict.fromkeys(
        [
            "ConfigError",
            "ContractError",
            "DbtrustError",
            "DriftError",
            "QueryFileError",
            "RowCountError",
            "ServerError",
        ],
        "dbtrust.model.errors",
    ),
    "Report": "dbtrust.model.report",
    "Collection": "dbtrust.queries.collection",
    **dict.fromkeys(["claim", "example", "proof"], "dbtrust.queries.marks"),
    **dict.fromkeys(["MongoQueries", "AsyncMongoQueries"], "dbtrust.queries.mongo"),
    **dict.fromkeys(["SqlQueries", "AsyncSqlQueries", "Affected"], "dbtrust.queries.sql"),
}

__all__ = [*sorted(_HOMES)]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'dbtrust' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value
