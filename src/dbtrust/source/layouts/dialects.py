"""Files for several databases side by side: which of them are PostgreSQL's."""

from __future__ import annotations

from dbtrust.model.report import NotExamined
from dbtrust.source.layouts.folder import Folder

POSTGRES = frozenset({"postgres", "postgresql", "postgre", "pg", "pgsql", "psql", "pgx"})
#: The word in a name -> the database it is for.
OTHERS = {
    "mysql": "MySQL", "mariadb": "MariaDB", "sqlite": "SQLite", "sqlite3": "SQLite", "libsql": "SQLite",
    "mssql": "SQL Server", "sqlserver": "SQL Server", "oracle": "Oracle", "h2": "H2", "hsqldb": "HSQLDB",
    "derby": "Derby", "db2": "Db2", "cockroach": "CockroachDB", "cockroachdb": "CockroachDB", "crdb": "CockroachDB",
    "clickhouse": "ClickHouse", "tidb": "TiDB", "spanner": "Spanner", "ydb": "YDB", "cassandra": "Cassandra",
    "redshift": "Redshift", "snowflake": "Snowflake", "bigquery": "BigQuery", "duckdb": "DuckDB",
}  # fmt: skip


def neutral(file: str) -> tuple[str, str | None]:
    """The name without the word of a database between its dots, and that word: 1_x.mysql.up.sql is 1_x.up.sql, mysql."""
    parts = file.split(".")
    for at in range(1, len(parts) - 1):
        if (word := parts[at].lower()) in POSTGRES or word in OTHERS:
            return ".".join(parts[:at] + parts[at + 1 :]), word
    return file, None


def sql_files(folder: Folder) -> dict[str, str]:
    """Neutral name -> name of each .sql file that is PostgreSQL's or everybody's; its own goes before everybody's."""
    found: dict[str, str] = {}
    for file in folder.files:
        if not file.lower().endswith(".sql"):
            continue
        name, word = neutral(file)
        if word is None:
            found.setdefault(name, file)
        elif word in POSTGRES:
            found[name] = file
    return found


def other_database(folder: Folder) -> str | None:
    """The database that a folder's name says it is for, where that is not PostgreSQL. The root's own name says nothing."""
    return OTHERS.get(folder.name) if folder.path else None


def other_files(folder: Folder) -> list[NotExamined]:
    """The .sql files that are for other databases."""
    found: list[NotExamined] = []
    for file in folder.files:
        word = neutral(file)[1] if file.lower().endswith(".sql") else None
        if word is not None and word in OTHERS:
            found.append(NotExamined(folder.place(file), f"{OTHERS[word]}; dbtrust proves PostgreSQL's"))
    return found


def other_folder(folder: Folder) -> list[NotExamined]:
    """A folder for another database, where it holds SQL at all."""
    database = other_database(folder)
    if database is None or not any(
        f.lower().endswith(".sql") for inner in folder.walk() for f in inner.files
    ):
        return []
    return [NotExamined(folder.path, f"{database}; dbtrust proves PostgreSQL's")]
