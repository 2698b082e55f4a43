"""MongoQueries: ordinary methods over a database; their claims are judged on the commands that they send."""

from __future__ import annotations

from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database


class MongoQueries:
    """Methods have real bodies over `self.db`."""

    db: Database[Any]

    def __init__(self, db: Database[Any]) -> None:
        self.db = db


class AsyncMongoQueries:
    """The same over pymongo's AsyncDatabase."""

    db: AsyncDatabase[Any]

    def __init__(self, db: AsyncDatabase[Any]) -> None:
        self.db = db
