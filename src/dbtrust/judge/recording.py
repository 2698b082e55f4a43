"""Executions into groups: one query for one shape of statement, with a few executions of it as examples.

Memory is bounded by the number of shapes, not by the number of executions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dbtrust.judge.sql_forms import Form, Slot, forms, masked, one_line, quoted, written
from dbtrust.judge.statements import SqlSyntaxError
from dbtrust.model.recorded import Executed, Lost

#: Different values of one shape whose frequency is counted; later ones can still be the largest or dearest.
_DISTINCT = 500
#: Executions whose values are longer together (characters) are counted and are no examples.
_LONGEST = 4_000
#: Shapes that are kept.
_SHAPES = 5_000
_SYSTEM = frozenset({"pg_catalog", "information_schema", "pg_toast"})
_OPERATIONS = {"insert": "Insert", "update": "Update", "delete": "Delete", "merge": "Merge"}
Values = tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    """Executions of one text of a shape. The values are SQL constants: those of $1 …, then those of open slots."""

    form: Form
    constants: Sequence[str]
    count: int = 0
    first: Values = ()
    differs: set[int] = field(default_factory=set[int])
    counts: Counter[Values] = field(default_factory=Counter[Values])
    most_rows: tuple[float, Values] | None = None
    dearest: tuple[float, Values] | None = None
    untold: bool = False
    #: Executions whose values are not among `counts`.
    unkept: int = 0

    def add(self, values: Values | None, rows: float, cost: float) -> None:
        self.count += 1
        if values is None:
            self.unkept += 1
            return
        if not self.counts:
            self.first = values
        self.differs |= {i for i, value in enumerate(values) if value != self.first[i]}
        if values in self.counts or len(self.counts) < _DISTINCT:
            self.counts[values] += 1
        if self.most_rows is None or rows > self.most_rows[0]:
            self.most_rows = rows, values
        if self.dearest is None or cost > self.dearest[0]:
            self.dearest = cost, values

    def examples(self) -> list[tuple[str, Values]]:
        """At most three, each other values: the commonest, the one of most rows, the dearest."""
        if not self.counts or self.most_rows is None or self.dearest is None:
            return []
        common = min(self.counts, key=lambda values: (-self.counts[values], values))
        labelled = {common: "common"}
        labelled.setdefault(self.most_rows[1], "most rows")
        labelled.setdefault(self.dearest[1], "most expensive")
        return [(label, values) for values, label in labelled.items()]


@dataclass(frozen=True, slots=True)
class RecordedQuery:
    """One shape. `sql` has `:p1` for what differed or was sent as a parameter, `text` the same with $1 ….

    `examples` are (label, SQL constants of `parameters` in order). `literal` is the commonest execution with all
    its constants in place, for statements that the server takes no parameters in; None where it sent some.
    """

    name: str
    fingerprint: str
    sql: str
    parameters: tuple[str, ...]
    examples: tuple[tuple[str, Values], ...]
    executions: int
    relations: tuple[tuple[str | None, str], ...]
    ordered: bool
    through: str
    literal: str | None


class Recording:
    """`add` each execution, then `queries` and `lost`; `passed` counts what is no matter of the project."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[tuple[Form, Values], _Seen]] = {}
        self._relations: set[tuple[str, str]] = set()
        self._places: dict[str, tuple[str, int]] = {}
        self._lost: Counter[tuple[str, str, str]] = Counter()
        self.passed: Counter[str] = Counter()

    def add(self, executed: Executed) -> None:
        try:
            key, constants = masked(executed.text)
            found = forms(executed.text, key)
        except (SqlSyntaxError, UnicodeEncodeError):
            step = "write a query file with this statement by hand"
            self._lose(executed.text, "dbtrust's grammar does not read it", step)
            return
        form = self._chosen(executed, key, found)
        if form is None or not form.verb:
            self.passed["COPY, DDL and EXPLAIN"] += 1
        elif not form.relations:
            self.passed["statements that read no table"] += 1
        elif all(_is_system(schema, name) for schema, name in form.relations):
            self.passed["statements about the catalog"] += 1
        elif any(schema.startswith("pg_temp") for schema, _ in executed.relations):
            self._lose(_head(form), "it reads a temporary table", "nothing to do")
        else:
            self._keep(executed, form, constants)

    def _chosen(self, executed: Executed, key: str, found: Sequence[Form]) -> Form | None:
        """Which statement of a text with several this execution is: the next one that fits, in its session."""
        if len(found) < 2:
            return found[0] if found else None
        last = self._places.get(executed.session)
        start = last[1] + 1 if last is not None and last[0] == key else 0
        for step in range(len(found)):
            place = (start + step) % len(found)
            if _fits(found[place], executed):
                self._places[executed.session] = key, place
                return found[place]
        return None

    def _keep(self, executed: Executed, form: Form, constants: Sequence[str]) -> None:
        group = self._groups.get(form.fingerprint)
        if group is None:
            if len(self._groups) >= _SHAPES:
                self._lose(
                    "further shapes of statements", f"more than {_SHAPES:,} were seen", "run less at once"
                )
                return
            group = self._groups[form.fingerprint] = {}
        self._relations |= executed.relations
        fixed = tuple(constants[i] for i in form.fixed)
        seen = group.get((form, fixed))
        if seen is None:
            if len(group) >= _DISTINCT:
                self.passed["rarer writings of the same statement"] += 1
                return
            seen = group[form, fixed] = _Seen(form, constants)
        seen.untold |= executed.parameters is None and any(
            isinstance(p, Slot) and p.number for p in form.pieces
        )
        seen.add(_values(form, constants, executed.parameters), executed.rows, executed.cost)

    def _lose(self, what: str, reason: str, step: str, executions: int = 1) -> None:
        what = " ".join(what.split())
        if len(self._lost) < _SHAPES:
            self._lost[what if len(what) <= 200 else what[:200] + " …", reason, step] += executions

    def relations(self) -> set[tuple[str, str]]:
        """The (schema, name) of every relation in the plans of what is kept."""
        return set(self._relations)

    def queries(self) -> list[RecordedQuery]:
        """One for each shape, by name. What cannot be written as a query goes to `lost`."""
        found: list[RecordedQuery] = []
        for fingerprint, group in sorted(self._groups.items()):
            total = sum(seen.count for seen in group.values())
            alike = _alike(group)
            seen = min(alike, key=lambda s: (not s.counts, -s.count, str(s.form.pieces)))
            self._name_unkept(seen, sum(other.count for other in alike if other is not seen))
            try:
                found.append(_query(fingerprint, seen, total))
            except ValueError as error:
                head = _head(seen.form)
                self._lose(head, str(error), "write a query file with this statement by hand", total)
        return _named(found)

    def _name_unkept(self, seen: _Seen, others: int) -> None:
        """What stands in no example and in no query, though its statement does."""
        if others:
            self.passed["rarer writings of the same statement"] += others
        if seen.unkept and seen.counts:
            reason = (
                "the log does not tell the values of some executions"
                if seen.untold
                else f"the values of some executions are longer than {_LONGEST:,} characters, or stand elsewhere"
            )
            step = "add an example with them by hand"
            self._lose(_head(seen.form), f"{reason}: they are no example", step, seen.unkept)

    def lost(self) -> list[Lost]:
        return [Lost(*key, count) for key, count in sorted(self._lost.items())]


def _head(form: Form) -> str:
    """The statement with its constants left out, for a message."""
    parts = [p if isinstance(p, str) else f"${p.number}" if p.number else "…" for p in form.pieces]
    return "".join(parts)


def _alike(group: Mapping[tuple[Form, Values], _Seen]) -> list[_Seen]:
    """Executions that differ only in blanks and in what was sent as a parameter, together."""
    found: dict[tuple[str | None, ...], list[_Seen]] = {}
    for seen in group.values():
        found.setdefault(_skeleton(seen), []).append(seen)
    return [_together(several) if len(several) > 1 else several[0] for several in found.values()]


def _skeleton(seen: _Seen) -> tuple[str | None, ...]:
    """The words of a statement, with None for each value."""
    form = seen.form
    words = [
        p.strip().casefold()
        if isinstance(p, str)
        else seen.constants[p.index]
        if p.index in form.fixed
        else None
        for p in form.pieces
    ]
    return tuple(word for word in words if word != "")


def _places(form: Form) -> list[Slot]:
    """The values of a statement in the order in which they stand."""
    return [p for p in form.pieces if isinstance(p, Slot) and p.index not in form.fixed]


def _numbers(form: Form) -> list[int]:
    return sorted({p.number for p in form.pieces if isinstance(p, Slot) and p.number})


def _together(several: Sequence[_Seen]) -> _Seen:
    """One for all: a parameter is what any of them sent as one."""
    base = min(several, key=lambda s: (-len(_numbers(s.form)), -s.count, str(s.form.pieces)))
    merged = _widened(base.form, [_places(seen.form) for seen in several])
    found = _Seen(merged, base.constants)
    for seen in several:
        found.count += seen.count
        found.unkept += seen.unkept
        found.untold |= seen.untold
        for values, count in seen.counts.items():
            moved = _moved(values, seen.form, merged)
            if moved is None:
                found.unkept += count
            elif moved in found.counts or len(found.counts) < _DISTINCT:
                found.counts[moved] += count
        found.most_rows = _larger(found.most_rows, seen.most_rows, seen.form, merged)
        found.dearest = _larger(found.dearest, seen.dearest, seen.form, merged)
    found.first = next(iter(found.counts), ())
    kept = [*found.counts, *(one[1] for one in (found.most_rows, found.dearest) if one is not None)]
    found.differs = {i for values in kept for i, value in enumerate(values) if value != found.first[i]}
    return found


def _widened(form: Form, every: Sequence[Sequence[Slot]]) -> Form:
    """The statement with a parameter in each place where one of `every` has one."""
    sent = [any(slots[at].number for slots in every) for at in range(len(every[0]))]
    pieces, at, last = list(form.pieces), 0, max(_numbers(form), default=0)
    for place, piece in enumerate(pieces):
        if isinstance(piece, Slot) and piece.index not in form.fixed:
            if sent[at] and not piece.number:
                last += 1
                pieces[place] = Slot(number=last)
            at += 1
    left = tuple(slot for slot in form.open if slot in pieces)
    return replace(form, pieces=tuple(pieces), open=left)


def _moved(values: Values, form: Form, merged: Form) -> Values | None:
    """Values of one writing in the order of another; None where one parameter would need two values."""
    numbers = _numbers(form)
    index = {number: at for at, number in enumerate(numbers)}
    opened = {slot: at for at, slot in enumerate(form.open, len(numbers))}
    found: dict[Slot, str] = {}
    for mine, other in zip(_places(form), _places(merged), strict=True):
        value = values[index[mine.number] if mine.number else opened[mine]]
        if found.setdefault(other, value) != value:
            return None
    return tuple(found[slot] for slot in (*(Slot(number=n) for n in _numbers(merged)), *merged.open))


def _larger(
    now: tuple[float, Values] | None, other: tuple[float, Values] | None, form: Form, merged: Form
) -> tuple[float, Values] | None:
    moved = _moved(other[1], form, merged) if other is not None else None
    if other is None or moved is None:
        return now
    return (other[0], moved) if now is None or other[0] > now[0] else now


def _is_system(schema: str | None, name: str) -> bool:
    return schema in _SYSTEM or (schema is None and name.startswith("pg_"))


def _fits(form: Form, executed: Executed) -> bool:
    if form.verb and _OPERATIONS.get(form.verb, "") != (executed.kind if executed.kind in _WRITES else ""):
        return False
    mine, planned = {name for _, name in form.relations}, {name for _, name in executed.relations}
    return not mine or not planned or bool(mine & planned)


_WRITES = frozenset(_OPERATIONS.values())


def _values(form: Form, constants: Sequence[str], sent: Sequence[str | None] | None) -> Values | None:
    """None where they are not known, or too long to write down."""
    numbers = sorted({p.number for p in form.pieces if isinstance(p, Slot) and p.number})
    if numbers and (sent is None or len(sent) < numbers[-1]):
        return None
    given = [sent[n - 1] for n in numbers] if sent is not None else []
    values = ["NULL" if value is None else quoted(value) for value in given]
    for slot in form.open:
        text = constants[slot.index]
        values.append(f"-{text}" if slot.negative else text)
    if sum(map(len, values)) > _LONGEST:
        return None
    return tuple(values)


def _query(fingerprint: str, seen: _Seen, total: int) -> RecordedQuery:
    form = seen.form
    numbers = sorted({p.number for p in form.pieces if isinstance(p, Slot) and p.number})
    if not seen.counts and (numbers or form.open):
        raise ValueError(
            "the log does not tell its values (before PostgreSQL 16 those of EXECUTE)"
            if seen.untold
            else f"its values are longer than {_LONGEST:,} characters"
        )
    names: dict[Slot, str] = {Slot(number=n): f"p{n}" for n in numbers}
    places = dict(enumerate(numbers))
    kept = list(range(len(numbers)))
    twins: dict[Values, str] = {}
    for i, slot in enumerate(form.open, len(numbers)):
        if i not in seen.differs:
            continue
        column = tuple(values[i] for values in seen.counts)
        if (twin := twins.get(column)) is not None:
            names[slot] = twin  # the same value each time: date_trunc('day', t) in SELECT and GROUP BY
            continue
        names[slot] = twins[column] = f"p{max(places.values(), default=0) + 1}"
        places[i] = int(names[slot][1:])
        kept.append(i)
    examples = [(label, tuple(_constant(values[i]) for i in kept)) for label, values in seen.examples()]
    return RecordedQuery(
        _base(form), fingerprint, written(form, seen.constants, names), tuple(f"p{places[i]}" for i in kept),
        tuple(examples) if kept else (), total, form.relations, form.ordered, form.through,
        None if numbers else written(form, seen.constants, {}),
    )  # fmt: skip


def _constant(text: str) -> str:
    negative = text.startswith("-")
    return ("-" if negative else "") + one_line(text[negative:]) if text != "NULL" else text


def _base(form: Form) -> str:
    """select_users_by_email: what it does, with which relations, by which columns."""
    relations = "_".join(dict.fromkeys(name for _, name in form.relations[:2]))
    columns = f"_by_{'_'.join(form.columns[:3])}" if form.columns else ""
    return re.sub(r"[^a-z0-9_]+", "_", f"{form.verb}_{relations}{columns}".lower())[:80].rstrip("_")


def _named(queries: Iterable[RecordedQuery]) -> list[RecordedQuery]:
    """Each name ends in the beginning of the statement's fingerprint: another run gives the same one."""
    taken: set[str] = set()
    found: list[RecordedQuery] = []
    for query in queries:
        name = f"{query.name}_{query.fingerprint[:4]}"
        if name in taken:
            name = f"{query.name}_{query.fingerprint}"
        taken.add(name)
        found.append(replace(query, name=name))
    return sorted(found, key=lambda query: query.name)
