"""Recorded MongoDB commands as methods with claims: drafted from their plans over the project's data, and judged again."""

from __future__ import annotations

import types
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from dbtrust.claims.mongo import ParsedMethod, judge_methods
from dbtrust.claims.recorded import read_claims, told
from dbtrust.engine.mongo.profile import Profile, sent
from dbtrust.engine.mongo.urls import with_database
from dbtrust.engine.runs import Run
from dbtrust.judge.claims import Names
from dbtrust.judge.drafting import FEW_ROWS, draft_mongo
from dbtrust.judge.mongo_recording import MongoRecording, RecordedCommand
from dbtrust.judge.outcomes import known_names
from dbtrust.judge.recorded_mongo import CLASS, block, blocks, claims_of, document, edited, parameters_of
from dbtrust.judge.recorded_sql import Block, merged
from dbtrust.model.errors import QueryFileError
from dbtrust.model.location import Location
from dbtrust.model.plan import Engine, Plan
from dbtrust.model.progress import Progress
from dbtrust.model.recorded import Drafted, Lost
from dbtrust.model.report import Verdict
from dbtrust.model.starter import Starter
from dbtrust.source.objects import MongoMethod, mongo_methods
from dbtrust.source.project import Project
from dbtrust.stage.mongo import MongoStage, Scratch, open_mongo

#: Where the methods are written, relative to the project.
FILE = "recorded/mongo.py"


@dataclass(slots=True)
class _Draft:
    command: RecordedCommand
    claims: list[str] = field(default_factory=list[str])
    why: str = ""

    @property
    def block(self) -> Block:
        return block(self.command, self.claims, self.why)

    @property
    def collection(self) -> str:
        return str(next(iter(self.command.command.values())))


class MongoRecorder:
    """An embedded server whose profiler keeps what happens in one scratch copy of the project's data."""

    engine: Engine = "mongo"
    file = FILE

    def __init__(self, project: Project, run: Run, stack: ExitStack, progress: Progress) -> None:
        """Starts the server with history and data. Raises ServerError, and what the history raises."""
        self._project = project
        self._stage = stack.enter_context(open_mongo(project, lambda: run, None, progress))
        if self._stage.errors:
            raise self._stage.errors[0]
        self.version = self._stage.version
        self._recording = MongoRecording()
        self._notes: list[str] = []

    @contextmanager
    def running(self) -> Generator[str]:
        """The URL of the copy; at the end of the block everything that was sent to it is known."""
        with self._stage.copy() as (url, name):
            profile = Profile(url, name, self._see)
            with profile.running():
                yield with_database(url, name)
            if profile.gaps:
                self._notes.append(
                    "the command dropped its database, or was too fast: some commands may be missing"
                )
            self._notes += [_elsewhere(other) for other in profile.others]

    def _see(self, entry: Any) -> None:
        found = sent(entry)
        if isinstance(found, str):
            self._recording.pass_over(found)
        else:
            self._recording.add(found)

    def starters(self, progress: Progress) -> list[Starter]:
        """None: MongoDB answers by an index whatever the number of documents."""
        del progress
        return []

    def keep_starters(self, keep: bool) -> None:
        """There are none."""

    @contextmanager
    def rehearsing(self) -> Generator[str]:
        """The URL of another copy; nothing is recorded."""
        with self._stage.copy() as (url, name):
            yield with_database(url, name)

    def draft(self, old: str, progress: Progress) -> Drafted:
        """The file as it should be; `old` is its text now, or empty. Raises QueryFileError where it is no Python."""
        catalog = self._stage.catalog()
        names = known_names(catalog.objects, "mongo") if catalog is not None else Names()
        drafted = Drafted(FILE, old, notes=self._notes, passed=dict(self._recording.passed))
        drafts = _writable(self._recording.commands(), drafted.lost)
        drafted.lost += self._recording.lost()
        with Scratch(self._stage) as scratch:
            judge = _Judge(self._stage, scratch, self._project, names, progress)
            _fill(judge, drafts, drafted, old)
        return drafted


def _elsewhere(name: str) -> str:
    return (
        f"the command also used the database {name}, which its URL does not name: nothing of that is recorded"
    )


def _writable(commands: Sequence[RecordedCommand], lost: list[Lost]) -> list[_Draft]:
    found: list[_Draft] = []
    for command in commands:
        try:
            block(command, ())
            found.append(_Draft(command))
        except ValueError as error:
            lost.append(
                Lost(command.name, str(error), "write a query class with it by hand", command.executions)
            )
    return found


@dataclass(slots=True)
class _Judge:
    """Runs the methods of a text on the stage."""

    stage: MongoStage
    scratch: Scratch
    project: Project
    names: Names
    progress: Progress

    def methods(self, text: str) -> list[MongoMethod]:
        """The methods of a module that need not be on the disk."""
        module = types.ModuleType("recorded.mongo")
        path = str(self.project.config.root / FILE)
        exec(compile(text, path, "exec"), module.__dict__)  # noqa: S102 the text is dbtrust's own, with literals alone
        return mongo_methods(getattr(module, CLASS), self.project.config)

    def __call__(self, parsed: Sequence[ParsedMethod]) -> list[Verdict]:
        return judge_methods(self.stage, self.scratch, parsed, self.names, self.progress)


def _fill(judge: _Judge, drafts: list[_Draft], drafted: Drafted, old: str) -> None:
    head, before = _taken_apart(old)
    _draft_claims(judge, drafts, drafted)
    kept = _judge_again(judge, drafts, before)
    found = merged(before, [draft.block for draft in drafts], kept)
    drafted.text = document(head, found) if found else old
    drafted.queries = [_told(draft, before, kept) for draft in drafts]
    seen = {draft.command.name for draft in drafts}
    drafted.notes += [
        f"{FILE}: {one.name} was not run this time and stays; remove it if it is gone"
        for one in before
        if one.name not in seen
    ]


def _taken_apart(old: str) -> tuple[str, list[Block]]:
    try:
        return blocks(old) if old else ("", [])
    except SyntaxError as error:
        place = Location(FILE, error.lineno, error.offset)
        raise QueryFileError(
            f"no Python: {error.msg}", location=place, next="mend or remove the file"
        ) from None


def _by_name(judge: _Judge, blocks_: Sequence[Block]) -> dict[str, MongoMethod]:
    return {method.name: method for method in judge.methods(document("", blocks_))} if blocks_ else {}


def _draft_claims(judge: _Judge, drafts: list[_Draft], drafted: Drafted) -> None:
    """Fills `claims` from the plans; takes out of `drafts` what does not run on the project's data."""
    methods = _by_name(judge, [draft.block for draft in drafts])
    parsed = {name: ParsedMethod(method, ()) for name, method in methods.items()}
    verdicts = {v.subject: v for v in judge(list(parsed.values()))}
    few: dict[str, int] = {}
    for draft in list(drafts):
        item = parsed[draft.command.name]
        verdict = verdicts[item.method.subject]
        if verdict.verdict != "holds":
            drafts.remove(draft)
            step = "give the project the documents that it needs: [data.COLLECTION] generators"
            why = f"it does not run on the project's data: {verdict.message}"
            drafted.lost.append(Lost(draft.command.name, why, step, draft.command.executions))
            continue
        plans = [list(s) for case in item.cases for s in case.samples if isinstance(s, list | tuple)]
        _claim(judge, draft, plans, few)
    drafted.notes += [_few(name, count) for name, count in sorted(few.items())]


def _claim(judge: _Judge, draft: _Draft, plans: list[list[Plan]], few: dict[str, int]) -> None:
    name = draft.collection
    count = judge.stage.reading()[name].count_documents({}, limit=FEW_ROWS)
    draft.claims = draft_mongo(plans, filled=count > 0)
    if not draft.claims:
        draft.why = f"{name} has no documents here"
    if count < FEW_ROWS:
        few[name] = count


def _few(name: str, count: int) -> str:
    return (
        f"collections of few documents: {name} has {count} here, so that budgets say little or are left out; "
        f"declare the collection, add a generator [data.{name}] and record again"
    )


def _judge_again(judge: _Judge, drafts: Sequence[_Draft], before: Sequence[Block]) -> set[str]:
    """Leaves the claims that hold as they are written; gives the names of old methods that stay as they are."""
    there = {one.name: one for one in before}
    mine = {draft.command.name: draft for draft in drafts}
    kept = {name for name, one in there.items() if name in mine and edited(one)}
    again = [one for one in before if one.name in mine and one.name not in kept]
    bad = _bad(judge, [draft.block for draft in drafts])
    for draft in drafts:
        draft.claims = [claim for claim in draft.claims if (draft.command.name, claim) not in bad]
    failed = {name for name, _ in _bad(judge, again)}
    for one in again:
        new = mine[one.name].block
        same = claims_of(one) == claims_of(new) and parameters_of(one) >= parameters_of(new)
        if same and one.name not in failed:
            kept.add(one.name)
    return kept


def _bad(judge: _Judge, blocks_: Sequence[Block]) -> set[tuple[str, str]]:
    """(name, claim) of what does not hold; an empty claim where the method does not run."""
    parsed = [ParsedMethod(m, read_claims(m.claims, "mongo")) for m in _by_name(judge, blocks_).values()]
    return {(v.subject.rsplit(".", 1)[-1], v.claim) for v in judge(parsed) if v.verdict != "holds"}


def _told(draft: _Draft, before: Sequence[Block], kept: set[str]) -> dict[str, Any]:
    command, was = draft.command, {one.name: edited(one) for one in before}
    subject = f"query:{CLASS}.{command.name}"
    return told("mongo", subject, draft.claims, len(command.examples), command.executions, was, kept)
