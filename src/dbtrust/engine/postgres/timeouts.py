"""Settings of one script's session, put back afterwards."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg


@contextmanager
def timeouts(connection: psycopg.Connection[Any], options: Mapping[str, str]) -> Generator[None]:
    """lock_timeout and statement_timeout as a migration's options name them, for the block."""
    wanted = {name: options[name] for name in ("lock_timeout", "statement_timeout") if name in options}
    before = {name: connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in wanted}
    for name, value in wanted.items():
        connection.execute("SELECT set_config(%s, %s, false)", [name, value])
    try:
        yield
    finally:
        with suppress(psycopg.Error):
            for name, row in before.items():
                connection.execute("SELECT set_config(%s, %s, false)", [name, row[0] if row else "0"])
