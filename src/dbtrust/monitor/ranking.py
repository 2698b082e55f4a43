"""What comes first among findings of one severity: a cause before what follows from it, and the greater before the less.

A rank is 0 to 100 and stands in the evidence as `impact`. Its tens are the rule's place in ORDER, the rest is the
size of what was found, where the rule tells one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import log10
from typing import Any

from dbtrust.model.report import Finding

#: The rules from what must be looked at first to what is good to know; those of one line differ by size alone.
ORDER: tuple[tuple[str, ...], ...] = (
    # What is lost, or ends the service.
    ("database.checksum_failures", "xid.wraparound", "mxid.wraparound", "archiver.failing", "replication.member_down",
     "server.no_authorization", "setting.durability", "setting.autovacuum"),
    # What holds others up at this moment, and what fails soon.
    ("session.blocked", "connections.near_max", "server.connections", "replication.slot", "sequence.near_end",
     "replication.oplog_window", "operation.long_running", "transaction.prepared", "index.build_running"),
    # What holds back vacuum, replicas and those that wait.
    ("session.idle_in_transaction", "transaction.long", "transaction.idle", "replication.lag", "server.profiler_left_on",
     "autovacuum.disabled", "query.waiting"),
    # Causes in the design of what is slow or wrong.
    ("table.missing_index", "foreign_key.no_index", "index.invalid", "table.never_analyzed", "autovacuum.behind",
     "query.collection_scan", "collection.validator_warns", "index.ttl_without_effect", "collection.unbounded_array",
     "database.deadlocks", "statement.temp_files", "setting.planner", "setting.pending_restart"),
    # What is slow or wrong.
    ("statement.io", "query.examined_per_returned", "query.in_memory_sort", "collection.violates_validator",
     "collection.mixed_types", "collection.rare_field", "collection.big_documents", "table.stale_statistics",
     "constraint.not_valid", "function.search_path", "table.row_security", "setting.tracking"),
    ("statement.slow", "table.no_primary_key", "index.redundant", "collection.too_many_indexes", "server.cache_pressure",
     "server.tickets", "server.queues", "replication.even_votes"),
    # What follows from it, told of a whole server or database.
    ("query.slow", "database.temp_files", "database.cache_hit", "checkpoints.requested", "table.bloat", "index.bloat"),
    # What costs little, or is an estimate.
    ("index.unused", "index.hidden", "index.null_heavy", "index.boolean", "table.hot_updates", "table.newpage_updates",
     "statement.planning", "statement.rows", "database.rollbacks", "session.waits", "table.bloat_estimate",
     "collection.free_space", "sequence.wider_than_column"),
    ("statement.evicted", "column.type", "extension.outdated", "setting.shared_buffers", "setting.logging"),
)  # fmt: skip
_PLACES = {rule: place for place, line in enumerate(ORDER) for rule in line}
#: Where a rule tells how much: a share from 0 to 1, or a number whose digits count.
_SHARES = ("share", "used", "null_fraction")
_SIZES = (
    "seq_tup_read",
    "waited_ms",
    "retained_bytes",
    "waste_bytes",
    "temp_blocks",
    "blocks_read",
    "bytes",
    "dead",
)


def ranked(finding: Finding) -> Finding:
    """The same with its rank in the evidence."""
    return replace(finding, evidence={**finding.evidence, "impact": impact(finding)})


def impact(finding: Finding) -> float:
    """0 to 100, the greater the sooner. A rule that ORDER lacks comes last."""
    place = _PLACES.get(finding.rule, len(ORDER))
    return round(10 * (len(ORDER) - place) + 9.9 * _magnitude(finding.evidence), 2)


def _magnitude(evidence: Mapping[str, Any]) -> float:
    """0 to 1."""
    share = next((evidence[name] for name in _SHARES if _is_number(evidence.get(name))), None)
    if share is not None:
        return min(1.0, max(0.0, float(share)))
    size = next((evidence[name] for name in _SIZES if _is_number(evidence.get(name))), 0)
    return min(1.0, log10(1 + max(0.0, float(size))) / 15)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
