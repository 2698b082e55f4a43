"""Which relations a script is sure to lock so that others queue behind it, as far as its words tell."""

from __future__ import annotations

import re

#: Statements that conflict with every reader, and those that conflict with every writer.
_ALL = re.compile(
    r"\s*(?:ALTER|DROP|TRUNCATE|LOCK|CLUSTER|REINDEX|REFRESH|VACUUM\s*\(?\s*FULL)\b", re.IGNORECASE
)
_WRITERS = re.compile(
    r"\s*CREATE\b(?:.*\bREFERENCES\b|.*\bTRIGGER\b|\s+(?:UNIQUE\s+)?INDEX\b)", re.IGNORECASE | re.DOTALL
)
#: These let others read and write.
_WEAK = re.compile(r"\bCONCURRENTLY\b|\bVALIDATE\s+CONSTRAINT\b|\bSET\s+STATISTICS\b", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_READING = ("AccessShareLock", "RowShareLock")


def queues_behind(sql: str, relation: str, mode: str) -> bool:
    """Would a statement of the script wait for somebody who holds `mode` (pg_locks) on the relation of that name?

    A guess by words: for a wrong yes it is waited a while for nothing, for a wrong no the lock_timeout is there.
    """
    named = re.compile(rf'(?<![\w$])"?{re.escape(relation)}"?(?![\w$])', re.IGNORECASE)
    for statement in _COMMENT.sub(" ", sql).split(";"):
        if _WEAK.search(statement) or not named.search(statement):
            continue
        if _ALL.match(statement) or (mode not in _READING and _WRITERS.match(statement)):
            return True
    return False
