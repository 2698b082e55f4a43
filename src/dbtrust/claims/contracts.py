"""contract.*: what a method's signature promises of its query, answered by the server without running the query.

Parameters and columns are described by the server; nullability and cardinality are proven over the tree that the
server makes of the query. What is not proven is looked for: rows that break the promise are inserted into an empty
copy and the query is run on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg

from dbtrust.claims.cases import Known, example_values, variants
from dbtrust.claims.columns import judge_columns
from dbtrust.claims.parameters import Parameters, judge_parameters
from dbtrust.engine.postgres.analysis import analyse
from dbtrust.engine.postgres.describe import Described
from dbtrust.engine.postgres.errors import Failure
from dbtrust.engine.postgres.trial import try_query
from dbtrust.engine.postgres.values import as_sent
from dbtrust.judge.contracts.annotations import Field, accepts_none, elements_accept_none, fits, row_type
from dbtrust.judge.contracts.cardinality import at_least_one, at_most_one
from dbtrust.judge.contracts.nullability import Parameter, Prover
from dbtrust.judge.statements import explainable
from dbtrust.model.errors import DbtrustError
from dbtrust.model.facts import Analysed, Facts
from dbtrust.model.progress import Progress
from dbtrust.model.project import Query
from dbtrust.model.report import Outcome, Verdict
from dbtrust.queries.placeholders import bind_params
from dbtrust.stage.counterexamples import MADE, Argument, Broken, CounterExample, Search
from dbtrust.stage.postgres import PostgresStage

Connection = psycopg.Connection[Any]
CHECKS = ("contract.parameters", "contract.columns", "contract.nullability", "contract.cardinality")
_MANY, _NONE = "more than one row", "no row"
_DATA_ROWS = 5_000
#: A query over the few rows of a trial may run this long.
TRIAL_MS = 3_000


@dataclass(frozen=True, slots=True)
class Contract:
    """A query with one of its choices in place, the method that runs it, and the values of its examples by label."""

    query: Query
    method: Any
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, "Mapping[str, Any]"])


def _examples(connection: Connection, query: Query, known: Known | None) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    bound = bind_params(query.sql)
    for example in query.examples if bound.names else ():
        with suppress(DbtrustError, psycopg.Error):
            found[example.label or example.text] = example_values(connection, bound, example, known)
    return found


@dataclass(slots=True)
class _Bench:
    """Connections: `empty` to a copy without data, `full` to one with the project's data; `known` of the catalog."""

    empty: Connection
    full: Connection | None = None
    known: Facts = field(default_factory=Facts)
    examples: Known | None = None


def judge_contracts(
    stage: PostgresStage, queries: Sequence[Query], bound: Mapping[str, Any], progress: Progress
) -> list[Verdict]:
    """The four verdicts of each query that a class binds; of a query with choices the worst of its variants."""
    verdicts: list[Verdict] = []
    assert stage.state is not None
    with ExitStack() as stack:
        copy = stack.enter_context(stage.copy(stage.state))
        bench = _Bench(stack.enter_context(stage.owner(copy, timeout_ms=TRIAL_MS)))
        if stage.data is not None:
            copy = stack.enter_context(stage.copy(stage.data))
            bench.full, bench.examples = stack.enter_context(stage.owner(copy)), stage.examples
        for query in queries:
            if (method := bound.get(query.subject)) is not None:
                progress(f"judging the contract of {query.subject}")
                found = [_judge(bench, contract) for contract in _contracts(bench, query, method)]
                verdicts += [_worst(verdict) for verdict in zip(*found, strict=True)]
    return verdicts


def _contracts(bench: _Bench, query: Query, method: Any) -> list[Contract]:
    """The variants of a query with the values of its examples, which may ask for the project's data.

    An example that does not run is left out: query.prepares tells of it.
    """
    return [
        Contract(q, method, _examples(bench.full or bench.empty, q, bench.examples)) for q in variants(query)
    ]


_BADNESS = {"not_applicable": 0, "holds": 1, "unproved": 2, "refuted": 3}


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    return max(verdicts, key=lambda v: _BADNESS[v.verdict])


def _judge(bench: _Bench, contract: Contract) -> list[Verdict]:
    if not explainable(contract.query.sql):
        message = "a script or utility statement has neither parameters nor rows to promise"
        return [_verdict(check, contract, "not_applicable", message) for check in CHECKS]
    text = bind_params(contract.query.sql).text
    parameters = judge_parameters(
        bench.empty, text, contract.method, list(contract.examples.values()), contract.query.choices
    )
    first = _parameters(contract, parameters)
    if parameters.described is None:
        why = "the server does not take the statement with the types of the signature"
        rest = [
            _unproved(check, contract, why, "server_error", "mend the parameters first")
            for check in CHECKS[1:]
        ]
        return [first, *rest]
    columns = _columns(bench.empty, contract, parameters.described)
    return [
        first,
        columns,
        *_Rows(bench, contract, text, parameters.described).judge(columns.verdict == "refuted"),
    ]


def _parameters(contract: Contract, found: Parameters) -> Verdict:
    evidence = {"parameters": dict(found.types)}
    if found.wrong:
        return _verdict(CHECKS[0], contract, "refuted", found.wrong[0].message, found.wrong[0].next, evidence)
    if found.unsure:
        message, step = found.unsure[0]
        return _unproved(CHECKS[0], contract, message, "undecided", step)
    count = len(found.types)
    said = (
        f"{count} parameter{'s' * (count != 1)}, as the server reads them"
        if count
        else "it has no parameters"
    )
    return _verdict(CHECKS[0], contract, "holds", said, "", evidence)


def _columns(connection: Connection, contract: Contract, described: Described) -> Verdict:
    found = judge_columns(connection, contract.method.result, described, contract.query.sql)
    evidence = {"columns": {c.name: c.type_name for c in described.columns}}
    if found.wrong is not None:
        return _verdict(CHECKS[1], contract, "refuted", found.wrong.message, found.wrong.next, evidence)
    if found.unsure is not None:
        return _unproved(
            CHECKS[1], contract, found.unsure, "undecided", "annotate it with Any, or cast the column"
        )
    return _verdict(CHECKS[1], contract, "holds", found.said, "", evidence)


@dataclass(slots=True)
class _Rows:
    """Nullability and cardinality of one query."""

    bench: _Bench
    contract: Contract
    text: str
    described: Described

    def judge(self, columns_refuted: bool) -> list[Verdict]:
        analysed = analyse(self.bench.empty, self.text, self.described.parameter_names, self.bench.known)
        open_columns = {} if columns_refuted else self._open_columns(analysed)
        reasons = self._open_counts(analysed)
        promises: dict[str, Broken] = {f"column {place}": _null_at(place) for place in open_columns}
        promises |= {name: _BROKEN[name] for name in reasons}
        found = self._search(analysed, promises) if promises else {}
        return [
            self._nullability(analysed, open_columns, found, columns_refuted),
            self._cardinality(analysed, reasons, found),
        ]

    def _fields(self) -> list[tuple[int, Field]]:
        """(place of the column, field) for every field that has a column."""
        result = self.contract.method.result
        if result.row is None or not self.described.columns:
            return []
        row = row_type(result.row)
        if row.fields is None:
            return []
        if not row.by_name:
            return list(enumerate(row.fields[: len(self.described.columns)]))
        places = {column.name: place for place, column in enumerate(self.described.columns)}
        pairs = (
            (next((places[n] for n in (*f.aliases, f.name) if n in places), None), f) for f in row.fields
        )
        return [(place, f) for place, f in pairs if place is not None]

    def _open_columns(self, analysed: Analysed) -> dict[int, tuple[Field, str]]:
        """Columns whose field takes no None and that are not proven: place -> (field, why)."""
        result = self.contract.method.result
        scalar = result.rows == "optional" and not row_type(result.row).by_name
        wanted = [
            (place, f)
            for place, f in self._fields()
            if not accepts_none(f.annotation)
            and not (scalar and not f.name and len(self.described.columns) == 1)
        ]
        if not wanted:
            return {}
        if analysed.tree is None:
            return {
                place: (f, f"the server keeps no tree of this statement ({analysed.why})")
                for place, f in wanted
            }
        reasons = Prover(analysed.facts, self._parameters()).columns(analysed.tree)
        return {place: (f, why) for place, f in wanted if (why := reasons[place]) is not None}

    def _parameters(self) -> list[Parameter]:
        method = self.contract.method
        annotations = [method.annotations.get(name, Any) for name in method.bound.names]
        return [Parameter(accepts_none(a), elements_accept_none(a)) for a in annotations]

    def _open_counts(self, analysed: Analysed) -> dict[str, str]:
        """Promises about the number of rows that are not proven: name -> why."""
        rows = self.contract.method.result.rows
        if rows not in ("one", "optional"):
            return {}
        if analysed.tree is None:
            why = f"the server keeps no tree of this statement ({analysed.why})"
            return {_MANY: why} | ({_NONE: why} if rows == "one" else {})
        reasons: dict[str, str] = {}
        many = at_most_one(analysed.tree, analysed.facts)
        if many is not None:
            reasons[_MANY] = many
        if rows == "one" and not at_least_one(analysed.tree, analysed.facts):
            reasons[_NONE] = "nothing says that there is a row"
        return reasons

    def _search(self, analysed: Analysed, promises: Mapping[str, Broken]) -> dict[str, CounterExample]:
        search = Search(self.bench.empty, analysed, self.text, self._arguments(), self.bench.full)
        found = search.run(promises)
        rest = {name: broken for name, broken in promises.items() if name not in found}
        return found | self._in_data(rest)

    def _arguments(self) -> list[Argument]:
        method = self.contract.method
        arguments: list[Argument] = []
        described = zip(self.described.parameters, self.described.parameter_names, strict=True)
        for name, (oid, type_name) in zip(method.bound.names, described, strict=True):
            annotation = method.annotations.get(name, Any)
            values = [e[name] for e in self.contract.examples.values() if fits(e[name], annotation)]
            arguments.append(Argument(name, oid, type_name, values, lambda v, a=annotation: fits(v, a)))
        return arguments

    def _in_data(self, promises: Mapping[str, Broken]) -> dict[str, CounterExample]:
        """What the examples give on the project's own data."""
        found: dict[str, CounterExample] = {}
        names = self.contract.method.bound.names
        for label, values in (
            self.contract.examples.items() if promises and self.bench.full is not None else ()
        ):
            assert self.bench.full is not None
            given = try_query(self.bench.full, self.text, [as_sent(values[n]) for n in names], _DATA_ROWS)
            if isinstance(given, Failure):
                continue
            for name, broken in promises.items():
                offending = broken(given[1])
                if name not in found and offending is not None:
                    source = f"the project's data, example {label}"
                    found[name] = CounterExample((), dict(values), tuple(given[0]), tuple(offending), source)
        return found

    def _nullability(
        self, analysed: Analysed, open_: Mapping[int, tuple[Field, str]], found: Mapping[str, CounterExample], refuted: bool
    ) -> Verdict:  # fmt: skip
        check, contract = CHECKS[2], self.contract
        if refuted:
            return _unproved(check, contract, "the columns do not fit", "undecided", "mend the columns first")
        for place, (f, why) in sorted(open_.items()):
            example = found.get(f"column {place}")
            if example is not None:
                label = self._label(place, f)
                step = f"annotate it with | None, or make it NOT NULL: {why}"
                message = f"{label} can be NULL: {_told(example)}"
                evidence = {"why": why, "counter_example": example.evidence()}
                return _verdict(check, contract, "refuted", message, step, evidence)
        for place, (f, why) in sorted(open_.items()):
            label, name = self._label(place, f), self.described.columns[place].name
            step = f"annotate it with | None, use coalesce(…), or write a proof that no row of the query has {name} NULL"
            return _unproved(
                check, contract, f"{label}: {why}, and no row was found that shows it", "undecided", step
            )
        promised = sum(not accepts_none(f.annotation) for _, f in self._fields())
        said = (
            f"{promised} of {len(self.described.columns)} columns are never NULL, as promised"
            if promised
            else "no field promises a value"
        )
        return _verdict(check, contract, "holds", said)

    def _label(self, place: int, f: Field) -> str:
        name = self.described.columns[place].name
        row = row_type(self.contract.method.result.row)
        return f"{row.name}.{f.name}" if f.name else f"column {name}"

    def _cardinality(
        self, analysed: Analysed, reasons: Mapping[str, str], found: Mapping[str, CounterExample]
    ) -> Verdict:
        check, contract = CHECKS[3], self.contract
        for name, why in reasons.items():
            if (example := found.get(name)) is not None:
                message = (
                    f"it can give {name if name == _NONE else f'{len(example.rows)} rows'}: {_told(example)}"
                )
                step = "return list[…], or compare a whole unique key" if name == _MANY else "return … | None"
                evidence = {"why": why, "counter_example": example.evidence()}
                return _verdict(check, contract, "refuted", message, step, evidence)
        for name, why in reasons.items():
            step = "return list[…], add LIMIT 1, or write the proof SELECT count(*) <= 1 FROM (…) AS q"
            message = f"whether it gives {name} is not known: {why}"
            return _unproved(
                check, contract, message, "undecided", step if name == _MANY else "return … | None"
            )
        return _verdict(check, contract, "holds", _COUNTS[contract.method.result.rows])


_COUNTS = {
    "one": "it gives exactly one row", "optional": "it gives at most one row", "list": "any number of rows fits a list",
    "iterator": "any number of rows fits an iterator", "affected": "the number of rows is what it returns",
    "nothing": "it returns nothing",
}  # fmt: skip


def _null_at(place: int) -> Broken:
    def broken(rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]] | None:
        return next(([row] for row in rows if row[place] is None), None)

    return broken


_BROKEN: dict[str, Broken] = {
    _MANY: lambda rows: rows if len(rows) > 1 else None,
    _NONE: lambda rows: rows if not rows else None,
}


def _told(example: CounterExample) -> str:
    """One line; the INSERTs stand in the evidence."""
    count = len(example.inserts)
    made = f"after {count} INSERT{'s' * (count != 1)}" if count else "with no row inserted"
    where = made if example.source == MADE else f"in {example.source}"
    given = ", ".join(f"{name} = {value!r}" for name, value in example.arguments.items())
    row = f"it gives {example.rows[0]!r}" if example.rows else "it gives nothing"
    return f"{where}{f' and with {given}' if given else ''} {row}"


def _verdict(
    check: str, contract: Contract, outcome: Outcome, message: str, step: str = "", evidence: Mapping[str, Any] | None = None
) -> Verdict:  # fmt: skip
    query = contract.query
    return Verdict(
        check, "postgres", query.subject, outcome, message, next=step, evidence=evidence or {}, location=query.location,
    )  # fmt: skip


def _unproved(check: str, contract: Contract, message: str, reason: str, step: str) -> Verdict:
    query = contract.query
    return Verdict(
        check,
        "postgres",
        query.subject,
        "unproved",
        message,
        reason=reason,
        next=step,
        location=query.location,
    )
