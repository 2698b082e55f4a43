"""Recorded statements as queries with claims: drafted from their plans over the project's data, and judged again."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

import psycopg

from dbtrust.claims.postgres import Parsed, judge_queries
from dbtrust.claims.record_rows import StarterRows, relation_rows
from dbtrust.claims.recorded import read_claims, told
from dbtrust.engine.postgres.describe import describe
from dbtrust.engine.postgres.errors import describe as said
from dbtrust.engine.postgres.recording import end_recording, executions, start_recording
from dbtrust.engine.postgres.server import PostgresServer
from dbtrust.engine.runs import Run
from dbtrust.judge.claims import Names
from dbtrust.judge.drafting import FEW_ROWS, Relation, draft_postgres, relations_read, scanned
from dbtrust.judge.outcomes import known_names
from dbtrust.judge.recorded_sql import Block, block, blocks, document, merged
from dbtrust.judge.recording import RecordedQuery, Recording
from dbtrust.judge.statements import SqlSyntaxError, parse_binds
from dbtrust.model.plan import Engine, Plan
from dbtrust.model.progress import Progress
from dbtrust.model.project import Query
from dbtrust.model.recorded import Drafted, Lost
from dbtrust.model.report import Verdict
from dbtrust.model.starter import Starter
from dbtrust.queries.placeholders import bind_params
from dbtrust.source.project import Project
from dbtrust.source.queries import parse_queries
from dbtrust.stage.postgres import PostgresStage, open_postgres

#: Where the queries are written, relative to the project.
FILE = "recorded/postgres.sql"
_TEXT = 25  # the OID of text: for a parameter whose type the server cannot tell


@dataclass(slots=True)
class _Draft:
    query: RecordedQuery
    types: Mapping[str, str]
    claims: list[str] = field(default_factory=list[str])
    why: str = ""

    @property
    def block(self) -> Block:
        return block(self.query, self.types, self.claims, self.why)


class PostgresRecorder:
    """An embedded server that logs what happens in one scratch copy of the project's data."""

    engine: Engine = "postgres"
    file = FILE

    def __init__(self, project: Project, run: Run, stack: ExitStack, progress: Progress) -> None:
        """Starts the server with history and data. Raises ServerError, and what the history raises."""
        opened = open_postgres(project, lambda: run, None, progress, log_statements=True)
        self._stage = stack.enter_context(opened)
        if self._stage.errors:
            raise self._stage.errors[0]
        self.version = self._stage.version
        self._project = project
        self._recording = Recording()
        self._starters: StarterRows | None = None

    @contextmanager
    def running(self) -> Generator[str]:
        """The URL of the copy; at the end of the block everything that was sent to it is known."""
        host, source = self._stage.scratch.host, self._stage.data or self._stage.state
        assert isinstance(host, PostgresServer) and source is not None
        with self._stage.copy(source) as name:
            with self._stage.scratch.admin(name) as admin:
                start_recording(admin, name)
            yield self._stage.url(name)
            end_recording(host.admin_url(name), host.statements)
        for executed in executions(host.statements, name):
            self._recording.add(executed)

    def starters(self, progress: Progress) -> list[Starter]:
        """Generators for the tables that were read and have none; their rows are in what is judged from now on."""
        self._starters = StarterRows(self._stage, self._project.config)
        return self._starters.fill(self._recording.relations(), progress)

    def keep_starters(self, keep: bool) -> None:
        """Without them the stage is as it was before."""
        if self._starters is not None:
            self._starters.decide(keep)

    @contextmanager
    def rehearsing(self) -> Generator[str]:
        """The URL of another copy, with the starters' rows; nothing is recorded."""
        source = self._stage.data or self._stage.state
        assert source is not None
        with self._stage.copy(source) as name:
            yield self._stage.url(name)

    def draft(self, old: str, progress: Progress) -> Drafted:
        """The file as it should be; `old` is its text now, or empty."""
        catalog = self._stage.catalog()
        names = known_names(catalog.objects, "postgres") if catalog is not None else Names()
        queries = self._recording.queries()
        drafted = draft_queries(self._stage, queries, old, names, progress)
        drafted.lost += self._recording.lost()
        drafted.passed = dict(self._recording.passed)
        drafted.notes += self._starters.notes if self._starters is not None else []
        return drafted


def draft_queries(
    stage: PostgresStage, recorded: Sequence[RecordedQuery], old: str, names: Names, progress: Progress
) -> Drafted:
    """The file with every recorded query that holds on the stage. `old` is its text before, or empty."""
    drafted = Drafted(FILE, old)
    drafts = _described(stage, recorded, drafted.lost)
    _draft_claims(stage, drafts, names, drafted, progress)
    head, before = blocks(old)
    kept = _judge_again(stage, drafts, before, names, progress)
    new = [draft.block for draft in drafts]
    found = merged(before, new, kept)
    drafted.text = document(head, found) if found else old
    drafted.queries = [_told(draft, before, kept) for draft in drafts]
    drafted.notes += _vanished(before, recorded)
    return drafted


def _described(stage: PostgresStage, recorded: Sequence[RecordedQuery], lost: list[Lost]) -> list[_Draft]:
    """With the types of the parameters, as the server reads the statement."""
    source = stage.data or stage.state
    assert source is not None
    found: list[_Draft] = []
    with stage.owner(source) as connection:
        for query in recorded:
            try:
                found.append(_typed(connection, query))
            except psycopg.errors.UndefinedTable as error:
                step = "declare it in [postgres] schema or [migrations], if it is the project's"
                lost.append(
                    Lost(_shown(query), f"{said(error)}: the command made it itself", step, query.executions)
                )
            except (psycopg.Error, ValueError, SqlSyntaxError) as error:
                why = said(error) if isinstance(error, psycopg.Error) else str(error)
                lost.append(Lost(_shown(query), why, "write a query file with it by hand", query.executions))
    return found


def _shown(query: RecordedQuery) -> str:
    text = " ".join(query.sql.split())
    return text if len(text) <= 200 else text[:200] + " …"


def _typed(connection: psycopg.Connection[Any], query: RecordedQuery) -> _Draft:
    """Raises psycopg.Error where the server takes no such statement, ValueError where it cannot be written down."""
    try:
        draft = _Draft(query, _types(connection, query.sql))
    except psycopg.Error:
        if query.literal is None or not query.parameters:
            raise
        # The server takes no parameter somewhere: one execution as it was, then.
        plain = replace(query, sql=query.literal, parameters=(), examples=())
        draft = _Draft(plain, _types(connection, plain.sql))
    _round_trip(draft)
    return draft


def _types(connection: psycopg.Connection[Any], sql: str) -> dict[str, str]:
    bound = bind_params(sql)
    try:
        found = describe(connection, bound.text, [0] * len(bound.names))
    except (psycopg.errors.IndeterminateDatatype, psycopg.errors.AmbiguousParameter):
        found = describe(connection, bound.text, [_TEXT] * len(bound.names))
    return dict(zip(bound.names, found.parameter_names, strict=True))


def _round_trip(draft: _Draft) -> None:
    """Raises ValueError where the file would not be read as what is written."""
    query = draft.query
    read = parse_queries(document("", [draft.block]), FILE)
    if read.errors or len(read.queries) != 1:
        raise ValueError("its text would be read as something else in a query file")
    one = read.queries[0]
    same = one.sql == query.sql + ";" and sorted(bind_params(one.sql).names) == sorted(query.parameters)
    binds = [[name for name, _ in parse_binds(e.text)] for e in one.examples]
    if not same or binds != [list(query.parameters)] * len(query.examples):
        raise ValueError("its text would be read as something else in a query file")


def _draft_claims(
    stage: PostgresStage, drafts: list[_Draft], names: Names, drafted: Drafted, progress: Progress
) -> None:
    """Fills `claims` from the plans; takes out of `drafts` what does not run on the project's data."""
    parsed = [Parsed(query, ()) for query in _read(draft.block for draft in drafts)]
    verdicts = {v.subject: v for v in judge_queries(stage, parsed, names, progress)}
    rows = relation_rows(stage)
    few: set[Relation] = set()
    for draft, item in zip(list(drafts), parsed, strict=True):
        if (verdict := verdicts[item.query.subject]).verdict != "holds":
            drafts.remove(draft)
            drafted.lost.append(_not_run(draft.query, verdict))
            continue
        plans = [
            p for case in item.cases for sample in case.samples if isinstance(sample, list) for p in sample
        ]
        _claim(draft, plans, rows, few)
    drafted.notes += [_few(relation, rows) for relation in sorted(few)]


def _not_run(query: RecordedQuery, verdict: Verdict) -> Lost:
    step = "give the project the rows that it needs: [data.TABLE] generators"
    return Lost(
        _shown(query), f"it does not run on the project's data: {verdict.message}", step, query.executions
    )


def _claim(draft: _Draft, plans: Sequence[Plan], rows: Mapping[Relation, float], few: set[Relation]) -> None:
    empty = sorted(r for r in relations_read(plans) if rows.get(r, 1) <= 0)
    few |= {r for r in scanned(plans) if rows.get(r, FEW_ROWS) < FEW_ROWS} | set(empty)
    if empty:
        draft.why = f"{empty[0][1]} has no rows here"
    else:
        draft.claims = draft_postgres(plans, ordered=draft.query.ordered)


def _few(relation: Relation, rows: Mapping[Relation, float]) -> str:
    schema, name = relation
    shown = name if schema == "public" else f"{schema}.{name}"
    count = max(0, int(rows.get(relation, 0)))
    key = shown if "." not in shown else f'"{shown}"'
    return (
        f"tables of few rows: {shown} has {count} here, and the server reads it as a whole whatever indexes it has; "
        f"add a generator [data.{key}] and record again"
    )


def _read(blocks_: Iterable[Block]) -> list[Query]:
    return list(parse_queries(document("", blocks_), FILE).queries)


def _judge_again(
    stage: PostgresStage, drafts: Sequence[_Draft], before: Sequence[Block], names: Names, progress: Progress
) -> set[str]:
    """Leaves the claims that hold as they are written; gives the names of old queries that stay as they are.

    Those are the ones that somebody changed, and those that hold and would differ in nothing but numbers.
    """
    old = {one.name: one for one in before}
    drafted = {draft.query.name: draft for draft in drafts}
    kept = {one.name for one in before if one.name in drafted and one.edited}
    again = [one for one in before if one.name in drafted and one.name not in kept]
    failed = {name for name, _ in _bad(stage, again, names, progress)}
    left = list(drafts)
    while left:
        bad = _bad(stage, [draft.block for draft in left], names, progress)
        left = [draft for draft in left if _drop(draft, bad)]
    for one in again:
        new = drafted[one.name].block
        same = old[one.name].claims == new.claims and _parameters(one) >= _parameters(new)
        if same and one.name not in failed:
            kept.add(one.name)
    return kept


def _bad(
    stage: PostgresStage, blocks_: Sequence[Block], names: Names, progress: Progress
) -> set[tuple[str, str]]:
    """(query, claim) of what does not hold as it is written, or is refuted of the generic plan."""
    parsed = [Parsed(query, read_claims(query.claims, "postgres")) for query in _read(blocks_)]
    bad: set[tuple[str, str]] = set()
    for verdict in judge_queries(stage, parsed, names, progress) if parsed else []:
        name = verdict.subject.rpartition(".")[2]
        if verdict.check == "claim.generic":
            named = re.search(r"`(.*?)`", verdict.message)
            bad |= {(name, named[1] if named else "")} if verdict.verdict == "refuted" else set()
        elif verdict.verdict != "holds":
            bad.add((name, verdict.claim))
    return bad


def _drop(draft: _Draft, bad: set[tuple[str, str]]) -> bool:
    """Takes the claims that do not hold from a draft; is it to be judged again without them?"""
    wrong = [claim for claim in draft.claims if (draft.query.name, claim) in bad]
    draft.claims = [claim for claim in draft.claims if claim not in wrong]
    return bool(wrong and draft.claims)


def _parameters(one: Block) -> int:
    """Of the same shape the one with more parameters stands for more executions."""
    return len(bind_params(one.text).names)


def _told(draft: _Draft, before: Sequence[Block], kept: set[str]) -> dict[str, Any]:
    query, was = draft.query, {one.name: one.edited for one in before}
    subject = f"query:{PurePosixPath(FILE).stem}.{query.name}"
    return told("postgres", subject, draft.claims, len(query.examples), query.executions, was, kept)


def _vanished(before: Sequence[Block], recorded: Sequence[RecordedQuery]) -> list[str]:
    seen = {query.name for query in recorded}
    gone = [one.name for one in before if one.name not in seen]
    return [f"{FILE}: {name} was not run this time and stays; remove it if it is gone" for name in gone]
