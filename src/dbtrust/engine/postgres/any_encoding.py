"""Texts that are in another encoding than their database: names and statements of the whole server's sessions."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader

_TEXTS = ("text", "name", "varchar", "bpchar")
#: What a database without an encoding calls it.
_NONE = "SQL_ASCII"


class _Tolerant(Loader):
    """What is no UTF-8 becomes a replacement character, where the driver's own loader raises an error."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode(errors="replace")


def read_any_encoding(connection: psycopg.Connection[Any]) -> None:
    """From now on the connection reads every text. Raises psycopg.Error.

    pg_stat_activity shows the statements of other databases' sessions byte by byte: one in Latin-1 would end the
    reading of a database in UTF-8.
    """
    for name in _TEXTS:
        connection.adapters.register_loader(name, _Tolerant)
    if connection.info.parameter_status("server_encoding") == _NONE:
        # Else the server refuses to send what is no UTF-8.
        connection.execute("SET client_encoding = SQL_ASCII")
