"""Tries the changes that may make a refuted claim hold on PostgreSQL, each really made and explained again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import psycopg

from dbtrust.claims.postgres import ROUNDS
from dbtrust.claims.why_effects import summary
from dbtrust.claims.why_lab import Asked, Lab, needs_execution
from dbtrust.claims.why_search import search, shape
from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.whatif import setting, unbounded_elements, vacuum_relation
from dbtrust.judge.claims import Judged
from dbtrust.judge.conditions import of_table, wants
from dbtrust.judge.grammar import Claim, Name
from dbtrust.judge.index_changes import NEW as _NEW
from dbtrust.judge.index_changes import IndexChange, index_changes
from dbtrust.judge.statements import quoted
from dbtrust.model.plan import Plan
from dbtrust.model.progress import Progress, silent
from dbtrust.model.whatif import Index, Table, Wants
from dbtrust.model.why import Change, Effect

#: Searches behind a change that does not flip the claim, to see whether it makes the claimed plan possible.
_SEARCH_TRIES, _MOST_INDEXES, _MOST_NEW = 25, 16, 8
_Relation = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """One refuted claim: `main` is the example that refutes it, `asked` are all, `others` hold today.

    `reachable`: is there a plan that meets the claim, if another is forbidden?
    """

    lab: Lab
    claim: Claim
    main: Asked
    asked: Sequence[Asked]
    others: Sequence[Claim]
    chosen: Plan
    plans: Sequence[Plan]
    tables: Sequence[Table]
    used: dict[_Relation, list[str]]
    reachable: bool
    progress: Progress = silent

    @property
    def relations(self) -> list[_Relation]:
        return [(table.schema, table.name) for table in self.tables]


def try_changes(problem: Problem) -> list[Change]:
    """Every change worth trying on the copy, the smallest first. A larger index than needed is not tried."""
    found = [c for kind in (_statistics, _extended, _casts) for c in _in_time(problem, kind)]
    settings, indexes = list(_in_time(problem, _settings)), list(_in_time(problem, _indexes))
    # A limit of cost is a matter of price: another price list for the same plan is no small change.
    found += [*indexes, *settings] if problem.claim.kind == "cost" else [*settings, *indexes]
    return sorted(found, key=lambda change: bool(change.warning))


def _in_time(problem: Problem, kind: Callable[[Problem], Iterator[Change]]) -> Iterator[Change]:
    """The changes of a kind, as long as the run may begin another one."""
    changes = kind(problem)
    while not problem.lab.over() and (change := next(changes, None)) is not None:
        yield change


def _indexes(problem: Problem) -> Iterator[Change]:
    """Changes of indexes and new ones; after one that helps only those of the same size."""
    last, helped = (False, 0), False
    for change in _index_candidates(problem):
        size = (bool(change.wide), change.size)
        if size > last and helped:
            return
        last, made = size, _index(problem, change)
        helped = helped or (made.effect == "flips" and not made.breaks)
        yield made


def try_vacuum(lab: Lab, problem: Problem) -> list[Change]:
    """VACUUM on a copy of its own, where an index-only scan fetched rows."""
    fetching = [n for n in problem.chosen.nodes if n.heap_fetches and n.relation and n.schema]
    changes: list[Change] = []
    for relation in dict.fromkeys((n.schema or "", n.relation or "") for n in fetching):
        vacuum_relation(lab.connection, relation)
        effect, message, _ = _effect(problem, problem.claim, lab=lab)
        name = ".".join(map(quoted, relation))
        changes.append(Change("vacuum", f"VACUUM {name}", effect, message, (f"VACUUM {name}",)))
    return changes


def judge_all(lab: Lab, claim: Claim, asked: Sequence[Asked]) -> list[tuple[Asked, Judged]]:
    """The claim over every example as the database is now."""
    return [(one, lab.judged(claim, one)[0]) for one in asked]


def _effect(
    problem: Problem, claim: Claim, *, asked: Sequence[Asked] | None = None, lab: Lab | None = None
) -> tuple[Effect, str, float | None]:
    """The effect of what has been changed, over fresh samples of the statistics; and the root's cost."""
    lab = lab or problem.lab
    examples = asked or problem.asked
    effect: Effect = "no"
    message, cost = "", None
    for turn in range(ROUNDS):
        with lab.changed(analyze=problem.relations):
            effect, message = summary(judge_all(lab, claim, examples))
            cost = lab.plan(_same(problem.main, examples), analyze=False).totals.get("cost")
        if effect != "flips":
            return ("partly" if turn else effect), message, cost
    return effect, message, cost


def _same(main: Asked, examples: Sequence[Asked]) -> Asked:
    """The example in its changed form."""
    return next((one for one in examples if (one.label, one.values) == (main.label, main.values)), main)


def _made(
    problem: Problem, kind: str, title: str, statements: Sequence[str], *, claim: Claim | None = None, proves: str = "",
    asked: Sequence[Asked] | None = None, shown: Sequence[str] | None = None,
    warn: Callable[[], str] = str,
) -> Change:  # fmt: skip
    """Makes a change, judges, looks whether it makes the claimed plan possible, and takes it back.

    `warn` is asked while it is made.
    """
    problem.progress(f"trying: {title}")
    lab, claim = problem.lab, claim or problem.claim
    told = tuple(shown if shown is not None else statements)
    try:
        with lab.changed(statements):
            effect, message, cost = _effect(problem, claim, asked=asked)
            breaks, plan = _aftermath(problem, effect, asked)
            proven = _proven(problem, claim, effect, asked) if proves else False
            warning = warn()
    except psycopg.Error as error:
        if lab.connection.closed:
            raise
        return Change(kind, title, "failed", describe(error), told)
    return Change(kind, title, effect, message, told, cost, proves if proven else "", breaks, plan, warning)


def _aftermath(
    problem: Problem, effect: Effect, asked: Sequence[Asked] | None
) -> tuple[tuple[str, ...], Plan | None]:
    """The other claims of the query that fail with a change that flips this one, and the new plan."""
    if effect != "flips":
        return (), None
    lab, examples = problem.lab, asked or problem.asked
    with lab.changed(analyze=problem.relations):
        broken = [c.text for c in problem.others if summary(judge_all(lab, c, examples))[0] != "flips"]
        return tuple(broken), lab.plan(_same(problem.main, examples), warm=True)


def _proven(problem: Problem, claim: Claim, effect: Effect, asked: Sequence[Asked] | None) -> bool:
    """Does the change make a plan possible that could not be had before?"""
    if problem.reachable:
        return False
    if effect == "flips":
        return True
    lab, main = problem.lab, _same(problem.main, asked or problem.asked)
    if lab.judged(claim, main)[0].outcome == "holds":
        return True
    tables = lab.relation_tables([lab.plan(main, analyze=False)])
    spare = claim.index.name if claim.index else ""
    return bool(
        search(
            lab, main, lambda plan: lab.judge(claim, plan).outcome == "holds", tables,
            executed=needs_execution(claim), spare=spare, tries=_SEARCH_TRIES,
        ).found
    )  # fmt: skip


def _wants(problem: Problem) -> Iterator[tuple[Table, Wants]]:
    for table in problem.tables:
        asked = wants(problem.plans, table)
        used = problem.used.get((table.schema, table.name))
        yield table, replace(asked, used=tuple(used if used is not None else table.columns))


def _columns(asked: Wants) -> list[str]:
    """The bare columns of the conditions."""
    return list(dict.fromkeys(name for c in asked.conditions for name in c.columns))


def _statistics(problem: Problem) -> Iterator[Change]:
    """More detailed statistics of the columns in the conditions, table by table."""
    for table, asked in _wants(problem):
        columns = _columns(asked)
        if columns:
            name = _name(table)
            statements = [f"ALTER TABLE {name} ALTER COLUMN {quoted(c)} SET STATISTICS 1000" for c in columns]
            title = f"raise the statistics target of {table.name} ({', '.join(columns)}) to 1000"
            yield _made(problem, "statistics", title, statements, shown=[*statements, f"ANALYZE {name}"])


def _extended(problem: Problem) -> Iterator[Change]:
    """Extended statistics on pairs of columns that stand in conditions."""
    for table, asked in _wants(problem):
        for a, b in list(itertools.combinations(_columns(asked), 2))[:3]:
            name = quoted(f"{table.name}_{a}_{b}_stat"[:63])
            made = f"CREATE STATISTICS {quoted(table.schema)}.{name} (dependencies, ndistinct, mcv) ON {quoted(a)}, {quoted(b)} FROM {_name(table)}"
            title = f"extended statistics on {table.name} ({a}, {b})"
            yield _made(problem, "extended", title, [made], shown=[made, f"ANALYZE {_name(table)}"])


def _name(table: Table) -> str:
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def _casts(problem: Problem) -> Iterator[Change]:
    """A parameter sent with the type of the column, where the column is cast for the comparison."""
    for table, asked in _wants(problem):
        for condition in asked.conditions:
            column = condition.columns[0]
            wanted = table.columns[column]
            if not condition.cast or (condition.cast == "text" and wanted.startswith("character")):
                continue  # varchar is read as text without any work
            for number, name in enumerate(problem.main.bound.names, 1):
                cast = [one.cast(number, wanted) for one in problem.asked]
                proves = (
                    f"{table.name}.{column} is {wanted} and :{name} is sent as another type, so the column is cast to "
                    f"{condition.cast.removeprefix('pg_catalog.')} and no index on it can be used"
                )
                made = _made(
                    problem, "cast", f"send :{name} as {wanted}", (), proves=proves, asked=cast,
                    shown=[f":{name}::{wanted}"],
                )  # fmt: skip
                if made.effect != "failed":  # another parameter, which cannot have that type
                    yield made


@dataclass(frozen=True, slots=True)
class _Knob:
    """A setting, the farthest value that is tried, and its values in order of size from today's on."""

    name: str
    farthest: float
    shown: Callable[[float], str]
    between: Callable[[float, float], float]
    near: Callable[[float, float], bool]


def _kilobytes(value: float) -> str:
    return f"{round(value / 1024)}MB" if value >= 10 * 1024 else f"{round(value)}kB"


_KNOBS = (
    _Knob("random_page_cost", 1.1, lambda v: f"{v:g}", lambda a, b: round((a + b) / 2, 2), lambda a, b: abs(a - b) <= 0.05),
    _Knob("work_mem", 1024 * 1024, _kilobytes, lambda a, b: round((a * b) ** 0.5), lambda a, b: b <= a * 1.2),
    _Knob("effective_cache_size", 8 * 1024 * 1024, lambda v: _kilobytes(v * 8), lambda a, b: round((a * b) ** 0.5), lambda a, b: b <= a * 1.2),
)  # fmt: skip


def _settings(problem: Problem) -> Iterator[Change]:
    """Planner settings, each to the value nearest to today's that makes the claim hold."""
    for knob in _KNOBS:
        today = float(setting(problem.lab.connection, knob.name))
        beyond = today <= knob.farthest if knob.name == "random_page_cost" else today >= knob.farthest
        if beyond:
            continue
        problem.progress(f"trying: {knob.name}")
        effect, message = _with_setting(problem, knob, knob.farthest)
        value = knob.farthest
        if effect == "flips":
            value = _nearest(problem, knob, today)
            effect, message = _with_setting(problem, knob, value, rounds=True)
        title = f"set {knob.name} to {knob.shown(value)} (now {knob.shown(today)})"
        statement = f"SET {knob.name} = '{knob.shown(value)}'"
        breaks, plan, cost = _under(problem, knob, value, effect)
        if plan is not None and shape(plan) == shape(problem.chosen):
            title += ": the same plan at another price"
        yield Change("setting", title, effect, message, (statement,), cost, "", breaks, plan)


def _under(
    problem: Problem, knob: _Knob, value: float, effect: Effect
) -> tuple[tuple[str, ...], Plan | None, float | None]:
    with problem.lab.changed(settings={knob.name: knob.shown(value)}):
        cost = problem.lab.plan(problem.main, analyze=False).totals.get("cost")
        return *_aftermath(problem, effect, None), cost


def _nearest(problem: Problem, knob: _Knob, today: float) -> float:
    """Bisection between today's value, where the claim fails, and the farthest, where it holds."""
    bad, good = today, knob.farthest
    while not knob.near(bad, good):
        middle = knob.between(bad, good)
        if middle in (bad, good):
            break
        if _with_setting(problem, knob, middle)[0] == "flips":
            good = middle
        else:
            bad = middle
    return good


def _with_setting(problem: Problem, knob: _Knob, value: float, *, rounds: bool = False) -> tuple[Effect, str]:
    with problem.lab.changed(settings={knob.name: knob.shown(value)}):
        if rounds:
            return _effect(problem, problem.claim)[:2]
        return summary(judge_all(problem.lab, problem.claim, problem.asked))


def _index_candidates(problem: Problem) -> list[IndexChange]:
    """Changes of the claimed index, or of those on the relations that the claim is about."""
    found: list[IndexChange] = []
    for table, asked in _wants(problem):
        if not _about(problem, table):
            continue
        bases = _bases(problem.claim, table, asked)
        found += index_changes(table, asked, bases, new=problem.claim.index is None)
    ranked = sorted(found, key=lambda change: (bool(change.wide), change.size))
    new = [change for change in ranked if change.size == _NEW][:_MOST_NEW]
    old = [change for change in ranked if change.size < _NEW][: _MOST_INDEXES - len(new)]
    return [change for change in ranked if change in new or change in old]


def _about(problem: Problem, table: Table) -> bool:
    """Is the claim about this table? One that names neither index nor relation is about all."""
    claim = problem.claim
    if claim.relation is not None and claim.relation.name != table.name:
        return False
    return claim.index is None or any(index.name == claim.index.name for index in table.indexes)


def _bases(claim: Claim, table: Table, asked: Wants) -> list[Index]:
    """The claimed index; without one, those that hold something of what is asked."""
    if claim.index is not None:
        return [index for index in table.indexes if index.name == claim.index.name]
    words = {*_columns(asked), *(key for key, _ in asked.order)}
    whole = [index for index in table.indexes if " WHERE " not in index.definition]
    return [index for index in whole if any(quoted(w) in index.definition for w in words)][:4]


def _index(problem: Problem, change: IndexChange) -> Change:
    """Makes one index change; a claim that names the old index is judged with the changed one."""
    claim = problem.claim
    if claim.index is not None:
        problem.lab.made.add(change.name)
        claim = replace(claim, index=Name(change.name, claim.index.schema))
    return _made(
        problem, "index", change.title, change.statements, claim=claim, proves=change.reason,
        warn=lambda: _warning(problem.lab, change),
    )  # fmt: skip


def _warning(lab: Lab, change: IndexChange) -> str:
    """What the index, just made, refuses to hold: rows with long values can then no longer be written."""
    if not change.wide:
        return ""
    found = unbounded_elements(lab.connection, (change.table[0], change.name), change.table)
    new = [(text, longest) for text, name, longest in found if name is None or name in change.wide]
    if not new:
        return ""
    now = ", ".join(f"{text} {longest:,}" for text, longest in new if longest is not None)
    return (
        f"rows whose {' or '.join(text for text, _ in new)} is longer than about 2,700 bytes (a third of a page), "
        f"compressed, cannot be indexed: writing one would fail{f' (longest now, in bytes: {now})' if now else ''}"
    )


def claimed_tables(problem: Problem) -> list[Table]:
    """The tables that the chosen plan reads and the claim is about."""
    return [
        t for t in problem.tables if _about(problem, t) and any(of_table(n, t) for n in problem.chosen.nodes)
    ]
