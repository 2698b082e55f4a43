"""postgresql.conf of an embedded server: what dbtrust needs, and the project's own settings checked."""

from __future__ import annotations

import difflib
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dbtrust.engine.processes import environment
from dbtrust.model.errors import ConfigError

#: A server that is thrown away. Planner settings are PostgreSQL's own defaults.
DEFAULTS: dict[str, Any] = {
    "max_connections": 60,
    "shared_buffers": "128MB",
    "max_locks_per_transaction": 512,  # a schema of thousands of tables is applied in one transaction
    "fsync": False,
    "full_page_writes": False,
    # Off, VACUUM sets no all-visible bit for rows whose commit is not flushed: no index-only scan holds.
    "synchronous_commit": True,
    "wal_level": "minimal",
    "max_wal_senders": 0,
    "checkpoint_timeout": "1h",
    "min_wal_size": "2MB",  # and no old segments are kept: templates stay small
    "wal_recycle": False,
    "log_checkpoints": False,
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_monetary": "C.UTF-8",
    "lc_numeric": "C.UTF-8",
    "lc_time": "C.UTF-8",
    "default_text_search_config": "pg_catalog.english",
}

_PRELOADED = "pg_stat_statements, auto_explain"

#: What a server is kept apart and watched by; a project cannot have its own.
_RESERVED: dict[str, Any] = {
    "listen_addresses": "",
    "unix_socket_directories": "",
    "unix_socket_permissions": "0700",
    "port": 5432,
    "cluster_name": "",
    "dynamic_shared_memory_type": "mmap",  # nothing is left in /dev/shm
    "autovacuum": False,  # statistics do not change under a judge
    "logging_collector": False,
    "log_destination": "stderr",
    "lc_messages": "C",
}
#: What a server needs beside `log_directory` to keep every statement in its own JSON log (recording.py).
LOGGING: dict[str, Any] = {
    "logging_collector": True,
    "log_destination": "jsonlog",
    "log_filename": "statements.log",  # the server makes .json of .log
    "log_file_mode": "0600",
    "log_rotation_age": 0,
    "log_rotation_size": 0,
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "log_duration": False,
    "log_min_duration_statement": -1,
}
_FORBIDDEN = frozenset(
    {
        *_RESERVED,
        *("config_file", "data_directory", "hba_file", "ident_file", "external_pid_file"),
        *("unix_socket_group", "shared_memory_type", "event_source", "log_line_prefix"),
    }
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*")


def configuration(project: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """The text of postgresql.conf: defaults, then the project's settings, then dbtrust's own.

    Raises ConfigError for a name or a value that the file cannot hold or that is not the project's to set.
    """
    checked = {name.lower(): value for name, value in project.items() if _check(name)}
    libraries = checked.pop("shared_preload_libraries", "")
    preloaded = f"{_PRELOADED}, {_text(libraries)}" if libraries else _PRELOADED
    merged = {**DEFAULTS, **checked, "shared_preload_libraries": preloaded, **_RESERVED, **own}
    return "".join(f"{name} = {quoted(name, value)}\n" for name, value in merged.items())


def _check(name: str) -> bool:
    if name.lower() in _FORBIDDEN:
        raise ConfigError(
            f"postgres.settings: {name} is kept by dbtrust for its own servers",
            next=f"remove {name} from the settings",
        )
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"postgres.settings: {name!r} is no name of a parameter", next="write it as SHOW does"
        )
    return True


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ", ".join(str(item) for item in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return str(value)


def quoted(name: str, value: Any) -> str:
    """A value as postgresql.conf writes it (guc-file.l): quotes doubled, backslashes doubled, one line."""
    text = _text(value)
    if not text.isprintable():
        raise ConfigError(
            f"postgres.settings: the value of {name} has a control character", next="write it as one line"
        )
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def refusal(log: str, project: Mapping[str, Any], binaries: Path) -> ConfigError | None:
    """The project's setting that a server refused, by its log; None if it ended for another reason."""
    for name in project:
        for line in log.splitlines():
            if not re.search(rf'parameter "{re.escape(name)}"|for "{re.escape(name)}"', line, re.IGNORECASE):
                continue
            message = re.sub(r'^.*?(?:LOG|FATAL|ERROR):\s+| in file ".*$', "", line)
            return ConfigError(
                f"postgres.settings: PostgreSQL refuses {name} = {project[name]!r}: {message}",
                next=_nearest(name, binaries)
                if "unrecognized" in line
                else f"correct {name} in the settings",
            )
    return None


def _nearest(name: str, binaries: Path) -> str:
    """The parameter whose name is nearest, of all that this server has."""
    done = subprocess.run(
        [binaries / "postgres", "--describe-config"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(),
        check=False,
    )
    known = [line.split("\t", 1)[0] for line in done.stdout.decode(errors="replace").splitlines()]
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else "see the names with SHOW ALL"
