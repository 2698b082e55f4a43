"""A snapshot of a MongoDB server: every counter that a diagnostic reads, at one time."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from dbtrust.engine.mongo import monitor_collections as collections
from dbtrust.engine.mongo import monitor_operations as operations
from dbtrust.engine.mongo import monitor_sample as sample
from dbtrust.engine.mongo.connect import connect
from dbtrust.engine.mongo.monitor_ask import Asker, Rows, inside, iso, number, sample_options
from dbtrust.engine.mongo.monitor_collections import Names
from dbtrust.engine.mongo.monitor_members import (
    OPLOG,
    Member,
    reached,
    read_members,
    read_oplog,
    read_status,
)
from dbtrust.engine.mongo.monitor_thresholds import SLOW_MS, hidden, read_thresholds
from dbtrust.engine.mongo.profile_leftover import running
from dbtrust.engine.mongo.profiler import Profiling, filter_of, read_settings
from dbtrust.engine.mongo.urls import database_of
from dbtrust.model.errors import DbtrustError
from dbtrust.model.snapshot import ReadOptions, Row, Snapshot

Document = Mapping[str, Any]
CLUSTER, READ = "the role clusterMonitor", "the role readAnyDatabase (or read on the database)"
BOTH = "the roles clusterMonitor and readAnyDatabase"
_WRITES = "a replica set: a mongos has no profiler of its own"


_MADE_OF = {"slow": "profiles", "indexes": "index_usage", "index_usage": "index_usage"}


def read_snapshot(url: str, options: ReadOptions | None = None) -> Snapshot:
    """Everything that the role may see; what it may not stands in `not_examined`.

    A server that goes away half way leaves what was read, and `server["lost"]` says so. Raises ConfigError and
    ServerError where nothing answers from the start.
    """
    options = options or ReadOptions()
    with connect(url) as client:
        reading = _Reading(Asker(client, url, options.timeout_ms), options)
        return reading.run()


@dataclass(slots=True)
class _Reading:
    """One snapshot in the making."""

    ask: Asker
    options: ReadOptions
    sections: dict[str, tuple[Row, ...]] = field(default_factory=dict[str, tuple[Row, ...]])
    server: dict[str, Any] = field(default_factory=dict[str, Any])

    def run(self) -> Snapshot:
        taken = iso(datetime.datetime.now(datetime.UTC)) or ""
        hello = self.ask.section("server", "a server that answers", self._hello) or {}
        single = database_of(self.ask.url)
        names = Names(bool(single))
        with self._members(hello) as members:
            self._moment(members)
            databases = self.ask.section(
                "databases", CLUSTER, lambda: collections.user_databases(self.ask, single)
            )
            with self._profiling(hello, databases or [], members) as wait:
                self._set(members, hello)
                found = self._catalog(databases or [], names, members)
                wait()
                self._slow(databases or [], names, members)
                self._samples(found)
        self._tell_election()
        self._tell_missing()
        if self.ask.notes.lost:
            self.server["lost"] = self.ask.notes.lost
        return Snapshot("mongo", taken, self.server, self.sections, tuple(self.ask.notes.found.values()))

    def _tell_election(self) -> None:
        """Members, lag and what the primary alone counts are of two times where another one was elected meanwhile."""
        before = self.server.get("primary")
        if before is None or self.ask.notes.lost:
            return
        found = self.ask.section(
            "the primary at the end", CLUSTER, lambda: self.ask.command("admin", {"hello": 1})
        )
        after = (found or {}).get("primary")
        if found is not None and after != before:
            self.server["primary_after"] = after
            self.ask.notes.add(
                "the set at one time", f"a set that keeps its primary: it was {before}, now it is {after}"
            )

    def _tell_missing(self) -> None:
        """Sections that are made of others lack the right that those lacked."""
        for name, source in _MADE_OF.items():
            if name not in self.sections:
                told = self.ask.notes.found.get(source)
                self.ask.notes.add(name, told.needs if told else CLUSTER)

    def _add(self, name: str, needs: str, read: Callable[[], Sequence[Row]]) -> None:
        rows = self.ask.section(name, needs, read)
        if rows is not None:
            self.sections[name] = tuple(rows)

    def _hello(self) -> Document:
        hello = self.ask.command("admin", {"hello": 1})
        build = self.ask.command("admin", {"buildInfo": 1})
        self.server |= server_facts(hello, build)
        database = database_of(self.ask.url)
        place = " ".join(sorted(self.server["hosts"])) or _address(self.ask)
        self.server |= {
            "database": database,
            "identity": f"{hello.get('setName') or 'no set'} {place} {database}",
        }
        return hello

    @contextmanager
    def _profiling(
        self, hello: Document, databases: Sequence[str], members: Sequence[Member]
    ) -> Generator[Callable[[], None]]:
        """Gives what waits until the profiler has been on for long enough."""
        if self.server.get("role") == "mongos":
            self.ask.notes.add("profiler", _WRITES)
        elif databases:
            profiling, *others = self._profilers(hello, members)
            if profiling is not None and self.options.profiler:
                repaired = [row for other in others if other for row in other.mended()]
                with profiling.held():
                    self.sections["profiler_repairs"] = (*profiling.repaired, *repaired)
                    self._settings_of(databases)
                    profiling.arm(databases, SLOW_MS)
                    if profiling.armed:
                        self.server["profiled_seconds"] = self.options.profile_seconds
                    yield lambda: profiling.wait(self.options.profile_seconds)
                return
            for found in (profiling, *others):
                if found is not None and (left := found.pending()):
                    self.ask.notes.add(left, "a run without --no-profiler")
        self._settings_of(databases)
        yield lambda: None

    def _profilers(self, hello: Document, members: Sequence[Member]) -> list[Profiling | None]:
        """That of the member which was asked, first: each one keeps settings of its own, whoever is primary."""
        own = str(hello.get("me") or "")
        first = sorted(members, key=lambda member: member.name != own)
        return [self._profiler(f"{hello.get('setName', '')} {member.name}", member.ask) for member in first]

    def _profiler(self, server: str, ask: Asker) -> Profiling | None:
        """None where there is no folder to write down what was before: then nothing is switched on."""
        try:
            return Profiling(ask, server)
        except DbtrustError as error:
            self.ask.notes.add("profiler", f"a folder for dbtrust's state ({error.message})")
            return None

    def _settings_of(self, databases: Sequence[str]) -> None:
        self._add("profiler_settings", CLUSTER, lambda: read_settings(self.ask, databases))

    @contextmanager
    def _members(self, hello: Document) -> Generator[list[Member]]:
        own = str(hello.get("me") or "")
        hosts = [*hello.get("hosts", ()), *hello.get("passives", ())]
        with ExitStack() as stack:
            if not hosts:
                yield [Member(own or _address(self.ask), self.ask)]
                return
            yield stack.enter_context(reached(self.ask, hosts, own))

    def _moment(self, members: Sequence[Member]) -> None:
        """What is true of this moment comes first, before dbtrust's own reads are a part of it."""
        self._add("status", CLUSTER, lambda: read_status(members))
        self._started()
        self._add("operations", CLUSTER, lambda: operations.read_operations(members))

    def _set(self, members: Sequence[Member], hello: Document) -> None:
        if hello.get("setName"):
            self._add("members", CLUSTER, lambda: read_members(self.ask))
            self._add(
                "oplog", "read on the database local (role clusterMonitor)", lambda: read_oplog(members)
            )
        elif self.server.get("role") == "mongos":
            for name in ("members", "oplog"):
                self.ask.notes.add(name, "a run for each shard: a mongos is in no replica set")
        else:
            # A server alone has nothing that could be behind.
            self.sections |= {"members": (), "oplog": ()}
        self._add("settings", CLUSTER, lambda: [read_server_settings(self.ask)])

    def _started(self) -> None:
        rows = self.sections.get("status", ())
        if rows and (uptime := rows[0].get("uptime_ms")):
            now = datetime.datetime.now(datetime.UTC)
            self.server["started_at"] = iso(now - datetime.timedelta(milliseconds=uptime))

    def _catalog(self, databases: Sequence[str], names: Names, members: Sequence[Member]) -> Rows | None:
        """None where the collections may not be listed, so that nothing of them is known."""
        found = self.ask.section(
            "collections", READ, lambda: collections.read_collections(self.ask, databases, names)
        )
        if found is None:
            needs = self.ask.notes.found["collections"].needs
            for name in ("indexes", "index_usage", "samples", "violations"):
                self.ask.notes.add(name, needs)
            return None
        if len(found) > collections.FIRST:
            self._add("totals", CLUSTER, lambda: collections.read_totals(self.ask, databases))
        totals = self.sections.get("totals", ())
        self._add("collections", CLUSTER, lambda: collections.with_statistics(self.ask, found, totals))
        rows = [dict(row) for row in self.sections.get("collections", ())]
        self._indexes(rows or found, members)
        return rows

    def _indexes(self, rows: Rows, members: Sequence[Member]) -> None:
        """Definitions are those of the first member, use is every member's own."""

        def read(member: Member) -> tuple[Rows, Rows] | None:
            what = "index_usage" if len(members) == 1 else f"index_usage on {member.name}"
            ask = member.ask
            return ask.section(what, CLUSTER, lambda: collections.read_indexes(ask, rows, member.name))

        with ThreadPoolExecutor(max(1, len(members))) as pool:
            results = [found for found in pool.map(read, members) if found is not None]
        if results:
            self.sections["indexes"] = tuple(results[0][0])
            self.sections["index_usage"] = tuple(row for _, use in results for row in use)
            self.server["index_usage_complete"] = len(results) == len(members) and self._all_reached()

    def _all_reached(self) -> bool:
        return not any(what.startswith("member ") for what in self.ask.notes.found)

    def _slow(self, databases: Sequence[str], names: Names, members: Sequence[Member]) -> None:
        slow = operations.Operations(names, databases)
        read = [
            self.ask.section(
                "profiles", CLUSTER, lambda: _done(operations.read_profiles, members, databases, slow)
            ),
            self.ask.section("log", CLUSTER, lambda: _done(operations.read_log, members, slow)),
        ]
        if any(read):
            self.sections["slow"] = tuple(slow.rows())
        if databases:
            self._add("thresholds", CLUSTER, lambda: read_thresholds(members, databases[0]))
        self.ask.notes.tell(hidden(self.sections, self.server.get("profiled_seconds", 0)))
        self._query_stats(databases, names)

    def _query_stats(self, databases: Sequence[str], names: Names) -> None:
        """Optional, unsupported on servers of one's own: where there is none, nothing is missing."""
        if number(inside(self.server, "major")) and self.server["major"] >= 7:
            self._add(
                "query_stats",
                "$queryStats (a parameter of the server, unsupported)",
                lambda: list(operations.read_query_stats(self.ask, databases, names)),
            )

    def _samples(self, found: Rows | None) -> None:
        size = self.options.sample_docs
        if found is None:
            return
        if size <= 0:
            for name in ("samples", "violations"):
                self.ask.notes.add(name, "--sample-docs above 0")
            return
        self._add("samples", READ, lambda: sample.read_samples(self.ask, found, size))
        self._add("violations", READ, lambda: sample.read_violations(self.ask, found, size))


def _done(read: Callable[..., None], *arguments: Any) -> bool:
    read(*arguments)
    return True


def _address(ask: Asker) -> str:
    address = ask.client.address
    return f"{address[0]}:{address[1]}" if address else "server"


def server_facts(hello: Document, build: Document) -> dict[str, Any]:
    """Version and role of the server that answered."""
    version = str(build.get("version", ""))
    role = "standalone"
    if hello.get("msg") == "isdbgrid":
        role = "mongos"
    elif hello.get("setName"):
        role = "primary" if hello.get("isWritablePrimary") else "secondary"
    return {
        "version": version,
        "major": int(version.partition(".")[0] or 0),
        "role": role,
        "set": hello.get("setName"),
        "member": hello.get("me"),
        "hosts": [*hello.get("hosts", ()), *hello.get("passives", ())],
        "primary": hello.get("primary"),
    }


def read_server_settings(ask: Asker) -> dict[str, Any]:
    """What of the command line and the parameters a diagnostic reads."""
    parsed = ask.command("admin", {"getCmdLineOpts": 1}).get("parsed", {})
    parameters = ask.command("admin", {"getParameter": 1, **dict.fromkeys(_PARAMETERS, 1)})
    return settings_row(parsed, parameters)


_PARAMETERS = ("ttlMonitorEnabled", "transactionLifetimeLimitSeconds")


def settings_row(parsed: Document, parameters: Document) -> dict[str, Any]:
    """getCmdLineOpts' `parsed` and getParameter as one row."""
    key_file = bool(inside(parsed, "security/keyFile"))
    cluster = inside(parsed, "security/clusterAuthMode")
    bind = str(inside(parsed, "net/bindIp") or "127.0.0.1")
    return {
        "authorization": inside(parsed, "security/authorization") == "enabled" or key_file or bool(cluster),
        "bind_ip": "*" if inside(parsed, "net/bindIpAll") else bind,
        "ttl_monitor": bool(parameters.get("ttlMonitorEnabled", True)),
        "transaction_limit_ms": (number(parameters.get("transactionLifetimeLimitSeconds")) or 60) * 1000,
    }


#: Many collections are asked about in one command.
_MORE = {"$unionWith": {"coll": "THE NEXT COLLECTION", "pipeline": "the same"}}


def commands(options: ReadOptions | None = None) -> list[str]:
    """Every command that `read_snapshot` can send, as JSON after the database it goes to."""
    options = options or ReadOptions()
    found: list[tuple[str, Any]] = [
        ("admin", {"hello": 1}),
        ("admin", {"buildInfo": 1}),
        ("admin", {"listDatabases": 1, "nameOnly": True}),
        ("admin", {"serverStatus": 1, "metrics": 1, "tcmalloc": 0}),
        ("admin", {"replSetGetStatus": 1}),
        ("admin", {"replSetGetConfig": 1}),
        ("admin", {"getCmdLineOpts": 1}),
        ("admin", {"getParameter": 1, **dict.fromkeys(_PARAMETERS, 1)}),
        ("admin", {"getLog": "global"}),
        ("admin", {"aggregate": 1, "pipeline": operations.CURRENT}),
        ("local", {"find": "oplog.rs", "sort": {"$natural": "1, then -1"}, "limit": 1}),
        ("local", {"aggregate": "oplog.rs", "pipeline": OPLOG}),
        ("DATABASE", {"listCollections": 1}),
        ("DATABASE", {"dbStats": 1}),
        ("DATABASE", {"aggregate": "COLLECTION", "pipeline": [*collections.COUNTERS, _MORE]}),
        ("DATABASE", {"aggregate": "COLLECTION", "pipeline": [*collections.SIZES, _MORE]}),
        ("DATABASE", {"aggregate": "COLLECTION", "pipeline": [*collections.use_of("COLLECTION"), _MORE]}),
        ("DATABASE", {"profile": -1}),
        ("DATABASE", {"find": "system.profile", "sort": {"$natural": -1}}),
    ]
    return [f"{database}: {json.dumps(command)}" for database, command in [*found, *_optional(options)]]


def _optional(options: ReadOptions) -> list[tuple[str, Any]]:
    """What is sent unless it is declined."""
    found: list[tuple[str, Any]] = []
    if options.profiler:
        found += [
            ("DATABASE", {"profile": 1, "filter": filter_of(SLOW_MS)}),
            ("DATABASE", {"profile": "as before", "filter": "as before"}),
            ("admin", {"aggregate": 1, "pipeline": running("DATABASE")}),
            ("DATABASE", {"drop": "system.profile, if it was not there"}),
        ]
    if options.sample_docs > 0:
        sources = sample.sources(10**9, options.sample_docs) + sample.sources(
            options.sample_docs + 1, options.sample_docs
        )
        found += [
            ("DATABASE", {"aggregate": "COLLECTION", "pipeline": [*source, last], **sample_options()})
            for source in sources
            for last in (sample.SKELETON, {"$match": {"$nor": ["VALIDATOR"]}})
        ]
    return found
