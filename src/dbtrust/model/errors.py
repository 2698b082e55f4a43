"""Every error that dbtrust raises on purpose, with its place and the next step."""

from __future__ import annotations

from dbtrust.model.location import NOWHERE, Location

#: Exit codes of the command line (docs/exit-codes.md), in the order in which they win.
USAGE, BUG, NO_SERVER, INTERRUPTED, FAILED = 2, 5, 3, 4, 1


class DbtrustError(Exception):
    """Something the user can mend: a message, where it is, what to do next, and the exit code."""

    code: int = USAGE

    def __init__(self, message: str, *, location: Location = NOWHERE, next: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.location = location
        self.next = next

    def __str__(self) -> str:
        where = f"{self.location}: " if self.location != NOWHERE else ""
        step = f" ({self.next})" if self.next else ""
        return f"{where}{self.message}{step}"


class ConfigError(DbtrustError):
    """dbtrust.toml, the command line or the environment is wrong."""


class QueryFileError(DbtrustError):
    """A query file, a migration or a proof cannot be read as what it is."""


class ContractError(DbtrustError):
    """A method's signature does not fit its query."""


class RowCountError(DbtrustError):
    """A query gave more or fewer rows than its method promises."""


class DriftError(DbtrustError):
    """A live object exists and differs from the declared one."""


class ServerError(DbtrustError):
    """A server could not be found, started or reached."""

    code = NO_SERVER


class Interrupted(DbtrustError):
    """Ctrl-C or SIGTERM; state was kept."""

    code = INTERRUPTED
