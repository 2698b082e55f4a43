"""What is asked of a server that is monitored: one question for each section of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_PAGE = 8192
#: What each statement of ours begins with, so that the next snapshot knows it (monitor_statement_texts.sql).
MARK = "/* dbtrust monitor */"


@dataclass(frozen=True, slots=True)
class Question:
    """`versions`: from which server version on which suffix of monitor_<name>.sql is asked; 0 is the first.

    `extension`: it asks pg_stat_statements. `needs` is what a role that is refused lacks.
    """

    name: str
    versions: Mapping[int, str] = field(default_factory=lambda: {0: ""})
    needs: str = ""
    extension: bool = False

    def file(self, version_num: int) -> str | None:
        """The .sql file for a server_version_num; None where that version has nothing to ask."""
        fit = [start for start in self.versions if start <= version_num]
        return f"monitor_{self.name}{self.versions[max(fit)]}" if fit else None


_EXTENSION = (
    "pg_stat_statements in shared_preload_libraries, and CREATE EXTENSION pg_stat_statements in this database"
)
QUESTIONS = (
    Question("settings"),
    Question("databases"),
    Question("tables"),
    Question("indexes"),
    Question("statements", {0: "", 170000: "_17"}, _EXTENSION, extension=True),
    Question("statements_info", needs=_EXTENSION, extension=True),
    Question("activity"),
    Question("locks"),
    Question("prepared"),
    Question("replication"),
    Question("receiver"),
    Question("slots", {0: "", 170000: "_17"}),
    Question("archiver"),
    Question("checkpoints", {0: "", 170000: "_17"}),
    Question("wal"),
    Question("io", {160000: "_16", 180000: "_18"}),
    Question("sequences"),
    Question("constraints"),
    Question("columns"),
    Question("functions"),
    Question("extensions"),
    Question("progress"),
    Question("column_statistics"),
    Question("widths"),
)
#: Merged into the rows of tables and indexes, from 16 on.
RELATIONS = "monitor_relations_16"
TEXTS = ("monitor_statement_texts",)
#: Characters of a statement that are read; of what is left without literals and comments 2,000 are kept.
TEXT_LENGTH = 4000
BLOAT = ("monitor_sizes", "monitor_table_bloat", "monitor_index_bloat")
#: Of so many tables that were never counted the size is asked for.
UNCOUNTED = 200
#: How many are measured for bloat, from and to which size: a measure reads what it measures.
TABLES_MEASURED = (20, 64 * _PAGE, 2**30)
INDEXES_MEASURED = (20, 64 * _PAGE, 2**28)
#: Bytes above which the widths of a table's rows are asked for (monitor_widths.sql has it in pages).
WIDTHS_FROM = 127 * _PAGE
