"""Changes of an index that may let a query be planned otherwise: made up here, then really made on a copy.

Each is one difference from an index that exists, so that the one that helps also says why the old one did not.
Statements are put together in PostgreSQL's own grammar and written by its deparser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dbtrust.judge.statements import expression_text, messages, parse_tree, quoted
from dbtrust.model.whatif import Condition, Index, Table, Wants

_PLAIN = re.compile(r'[^\W\d][\w$]*|"(?:[^"]|"")+"')
_LONGEST = 63
#: The size of a change that adds an index.
NEW = 3


@dataclass(frozen=True, slots=True)
class IndexChange:
    """`statements` make it; `name` is the changed or new index. `reason` is what is true if only this helps.

    `size` orders changes: 1 adds payload to an index, 2 changes its keys, 3 adds an index.
    """

    size: int
    title: str
    statements: tuple[str, ...]
    name: str
    reason: str = ""
    #: How many keys and columns the index then holds.
    held: int = 0
    #: Columns of unbounded length that a B-tree then holds for the first time: long values could no longer be written.
    wide: tuple[str, ...] = ()
    table: tuple[str, str] = ("", "")


def index_changes(
    table: Table, wants: Wants, bases: Sequence[Index], *, new: bool = True
) -> list[IndexChange]:
    """Every change worth trying, the smallest first and none twice; `new`: also indexes of their own."""
    found = [change for base in bases for change in _of_base(table, wants, base)]
    if new:
        there = {_tail(_statement(index)) for index in table.indexes}
        found += [change for change in _new(table, wants) if _tail(change.statements[-1]) not in there]
    unlike: dict[str, IndexChange] = {}
    for change in found:
        unlike.setdefault(_tail(change.statements[-1]), change)
    marked = [_marked(table, change) for change in unlike.values()]
    return sorted(marked, key=lambda change: (bool(change.wide), change.size, change.held))


def _marked(table: Table, change: IndexChange) -> IndexChange:
    """The change with the columns whose values an index does not limit today and would then."""
    statement = parse_tree(change.statements[-1]).stmts[0].stmt.index_stmt
    elements = [*statement.index_params, *statement.index_including_params]
    held: set[str] = set()
    if statement.access_method == "btree":
        held |= {name for e in elements for name in _columns_of(e)}
    return replace(
        change, wide=tuple(sorted(held & table.unbounded - _limited(table))), table=(table.schema, table.name)
    )


def _limited(table: Table) -> set[str]:
    """The columns that a B-tree over all rows holds already."""
    trees = [(index, _tree(index)) for index in table.indexes]
    whole = [i for i, tree in trees if tree.access_method == "btree" and not tree.HasField("where_clause")]
    return {name for index in whole for name in key_columns(index)}


def _tail(statement: str) -> str:
    """What an index is, without its name."""
    return statement.split(" ON ", 1)[1]


def key_columns(index: Index) -> list[str]:
    """The columns that an index holds as they are: keys first, then INCLUDE."""
    tree = _tree(index)
    elements = [*tree.index_params, *tree.index_including_params]
    return [e.index_elem.name for e in elements if e.index_elem.name]


def _tree(index: Index) -> Any:
    return parse_tree(index.definition).stmts[0].stmt.index_stmt


def _statement(index: Index) -> str:
    import postgast

    return postgast.deparse(parse_tree(index.definition))


def _of_base(table: Table, wants: Wants, base: Index) -> Iterator[IndexChange]:
    builder = _Builder(table, base)
    if builder.method != "btree":
        return
    # What one index change proves is told as a reason: the most telling ones come first.
    yield from _predicate(builder)
    yield from _collations(builder)
    yield from _patterns(builder, wants)
    yield from _expressions(builder, wants)
    yield from _included(builder, wants)
    yield from _keys(builder, wants)


class _Builder:
    """One index as a tree of which changed copies are made."""

    def __init__(self, table: Table, base: Index) -> None:
        self.table, self.base, self.tree = table, base, _tree(base)
        self.method = self.tree.access_method
        self.keys = [_element_text(element) for element in self.tree.index_params]
        self.bare = [_bare_text(element) for element in self.tree.index_params]

    def change(
        self, size: int, title: str, reason: str, *, keys: Sequence[Any] | None = None,
        include: Sequence[str] | None = None, predicate: bool = True,
    ) -> IndexChange:  # fmt: skip
        """The index with these elements. Its key decides what a unique one refuses, so that one stays beside it."""
        tree = parse_tree(self.base.definition)
        statement = tree.stmts[0].stmt.index_stmt
        if keys is not None:
            del statement.index_params[:]
            for element in keys:
                statement.index_params.add().CopyFrom(element)
        if include is not None:
            del statement.index_including_params[:]
            for name in include:
                statement.index_including_params.add().CopyFrom(_element(quoted(name)))
        keyed = {e.index_elem.name for e in statement.index_params}
        payload = [e for e in map(_copy, statement.index_including_params) if e.index_elem.name not in keyed]
        del statement.index_including_params[:]
        for element in payload:
            statement.index_including_params.add().CopyFrom(element)
        if not predicate:
            statement.ClearField("where_clause")
        stays = self.base.backs or (statement.unique and (keys is not None or not predicate))
        if stays:
            statement.unique = False
            statement.idxname = _name(self.table, statement.index_params)
        return self._made(tree, size, title, reason, stays)

    def _made(self, tree: Any, size: int, title: str, reason: str, stays: bool) -> IndexChange:
        import postgast

        statement = tree.stmts[0].stmt.index_stmt
        create = postgast.deparse(tree)
        held = len(statement.index_params) + len(statement.index_including_params)
        if stays:
            title = f"{title}, as an index beside it"
            return IndexChange(size, title, (create,), statement.idxname, reason, held)
        drop = f"DROP INDEX {quoted(self.base.schema)}.{quoted(self.base.name)}"
        return IndexChange(size, title, (drop, create), self.base.name, reason, held)


def _included(builder: _Builder, wants: Wants) -> Iterator[IndexChange]:
    """The columns that the statement uses and the index does not hold."""
    held = key_columns(builder.base)
    missing = [name for name in wants.used if name not in held]
    if missing:
        already = [e.index_elem.name for e in builder.tree.index_including_params]
        listed = ", ".join(missing)
        word = "columns" if len(missing) > 1 else "column"
        yield builder.change(
            1, f"add {word} {listed} to {builder.base.name} (INCLUDE)",
            f"{word} {listed} {'are' if len(missing) > 1 else 'is'} not in {builder.base.name}",
            include=[*already, *missing],
        )  # fmt: skip


def _predicate(builder: _Builder) -> Iterator[IndexChange]:
    if builder.tree.HasField("where_clause"):
        said = builder.base.definition.rpartition(" WHERE ")[2]
        reason = f"the query's conditions do not imply the predicate of {builder.base.name}: {said}"
        yield builder.change(2, f"take the predicate off {builder.base.name}", reason, predicate=False)


def _collations(builder: _Builder) -> Iterator[IndexChange]:
    """Keys in the collations of their columns."""
    if not any(e.index_elem.collation for e in builder.tree.index_params):
        return
    keys = [_copy(e) for e in builder.tree.index_params]
    named = ", ".join(".".join(n.string.sval for n in e.index_elem.collation) for e in keys)
    for key in keys:
        del key.index_elem.collation[:]
    reason = f"{builder.base.name} is ordered by collation {named}, the query compares by another"
    yield builder.change(2, f"give {builder.base.name} the column's own collation", reason, keys=keys)


def _keys(builder: _Builder, wants: Wants) -> Iterator[IndexChange]:
    """Missing keys behind the last one, and equality first, then the order, then ranges."""
    name, ideal = builder.base.name, _ideal(wants)
    kept = [_copy(e) for e in builder.tree.index_params]
    for element in [e for e in ideal if _bare_text(e) not in builder.bare][:3]:
        text = _element_text(element)
        title, reason = f"add {text} as the last key of {name}", f"{text} is no key of {name}"
        yield builder.change(2, title, reason, keys=[*kept, element])
    mine = dict(zip(builder.bare, kept, strict=True))
    rest = [e for bare, e in mine.items() if bare not in map(_bare_text, ideal)]
    held = [mine[bare] for bare in map(_bare_text, ideal) if bare in mine]
    for keys in ([*held, *rest], [mine.get(_bare_text(e), e) for e in ideal] + rest, [*ideal, *rest]):
        order = [_element_text(e) for e in keys]
        if order != builder.keys and keys:
            yield builder.change(2, _reordered(name, builder.keys, order), _lead(builder, wants), keys=keys)


def _reordered(name: str, before: Sequence[str], after: Sequence[str]) -> str:
    if sorted(before) == sorted(after):
        return f"put the keys of {name} in the order ({', '.join(after)})"
    return f"make the keys of {name} ({', '.join(after)})"


def _lead(builder: _Builder, wants: Wants) -> str:
    """What is wrong with the order of the keys."""
    name, first = builder.base.name, builder.bare[0]
    if not any(condition.key == first for condition in wants.conditions):
        return f"no condition of the query is on the leading key of {name}, {first}"
    return f"the keys of {name} do not stand as the query needs them: ({', '.join(builder.keys)})"


def _expressions(builder: _Builder, wants: Wants) -> Iterator[IndexChange]:
    """A key over the same column as a condition, with the condition's expression or collation in its place."""
    name = builder.base.name
    for number, element in enumerate(builder.tree.index_params):
        for condition in wants.conditions:
            other = condition.key != builder.bare[number]
            collated = bool(condition.collation) and condition.collation != _collation(element)
            if not (other or collated) or not set(condition.columns) & _columns_of(element):
                continue
            keys = [_copy(e) for e in builder.tree.index_params]
            keys[number] = _condition_element(condition)
            new = _element_text(keys[number])
            reason = f"{name} holds {builder.keys[number]}, the condition compares {condition.key}"
            reason += f" by collation {condition.collation}" if collated else ""
            yield builder.change(2, f"make the key {builder.keys[number]} of {name} {new}", reason, keys=keys)


def _collation(element: Any) -> str:
    return ".".join(n.string.sval for n in element.index_elem.collation)


def _patterns(builder: _Builder, wants: Wants) -> Iterator[IndexChange]:
    patterns = {c.key for c in wants.conditions if c.kind == "pattern"}
    name = builder.base.name
    for number, element in enumerate(builder.tree.index_params):
        key = builder.bare[number]
        if element.index_elem.opclass or key not in patterns:
            continue
        keys = [_copy(e) for e in builder.tree.index_params]
        keys[number] = _element(key, opclass="text_pattern_ops")
        reason = f"LIKE cannot use {name}: {key} has no text_pattern_ops and its collation is not C"
        yield builder.change(2, f"give {key} of {name} text_pattern_ops", reason, keys=keys)


def _new(table: Table, wants: Wants) -> Iterator[IndexChange]:
    """An index of its own for the query, with and without what it reads beside the conditions."""
    ideal = _ideal(wants)
    reason = f"no index of {table.name} has these keys"
    order = _ideal(replace(wants, conditions=()))
    if order:  # behind a join, or where the planner had better read in order and filter
        yield _created(table, order, (), "btree", reason)
    if ideal:
        yield _created(table, ideal, (), "btree", reason)
        held = {e.index_elem.name for e in ideal}
        rest = [name for name in wants.used if name not in held]
        if rest:
            yield _created(table, ideal, rest, "btree", f"{reason} and holds {', '.join(rest)}")
    for condition in wants.conditions:
        if condition.kind == "other":
            yield _created(table, [_element(condition.key)], (), "gin", f"no index of {table.name} serves it")


def _created(
    table: Table, keys: Sequence[Any], include: Sequence[str], method: str, reason: str
) -> IndexChange:
    import postgast

    tree = parse_tree(f"CREATE INDEX i ON {quoted(table.schema)}.{quoted(table.name)} USING {method} (x)")
    statement = tree.stmts[0].stmt.index_stmt
    del statement.index_params[:]
    for key in keys:
        statement.index_params.add().CopyFrom(key)
    for name in include:
        statement.index_including_params.add().CopyFrom(_element(quoted(name)))
    texts = [_element_text(e) for e in keys]
    statement.idxname = _name(table, [*keys, *statement.index_including_params])
    title = f"create an index on {table.name} ({', '.join(texts)})"
    title += f" INCLUDE ({', '.join(include)})" if include else ""
    title += f" USING {method}" if method != "btree" else ""
    held = len(keys) + len(include)
    return IndexChange(NEW, title, (postgast.deparse(tree),), statement.idxname, reason, held)


def _ideal(wants: Wants) -> list[Any]:
    """Keys for an index: equality, the order of the sort, then patterns and ranges; none twice."""
    groups = {
        kind: [c for c in wants.conditions if c.kind == kind] for kind in ("equality", "pattern", "range")
    }
    elements = [_condition_element(c) for c in groups["equality"]]
    equal = {c.key for c in groups["equality"]}
    elements += [_element(key, direction=way) for key, way in wants.order if key not in equal]
    taken = equal | {key for key, _ in wants.order}
    elements += [
        _condition_element(c) for c in (*groups["pattern"], *groups["range"][:1]) if c.key not in taken
    ]
    return list({_element_text(e): e for e in elements}.values())


def _condition_element(condition: Condition) -> Any:
    opclass = "text_pattern_ops" if condition.kind == "pattern" else ""
    return _element(condition.key, opclass=opclass, collation=condition.collation)


def _element(key: str, *, opclass: str = "", collation: str = "", direction: str = "") -> Any:
    """The index element of a key's text."""
    shown = key if _PLAIN.fullmatch(key) else f"({key})"
    collate = f" COLLATE {'.'.join(quoted(part) for part in collation.split('.'))}" if collation else ""
    text = f"CREATE INDEX ON t ({shown}{collate} {opclass} {direction})"
    return parse_tree(text).stmts[0].stmt.index_stmt.index_params[0]


def _copy(element: Any) -> Any:
    copied = type(element)()
    copied.CopyFrom(element)
    return copied


def _element_text(element: Any) -> str:
    """An element as CREATE INDEX writes it: created_at DESC."""
    import postgast

    tree = parse_tree("CREATE INDEX ON t (x)")
    target = tree.stmts[0].stmt.index_stmt.index_params[0]
    target.CopyFrom(element)
    text = postgast.deparse(tree)
    return (
        text.partition(" (")[2].removesuffix(")") if " USING " not in text else text[text.index("(") + 1 : -1]
    )


def _bare_text(element: Any) -> str:
    """What is indexed, without collation, operator class and direction, as `Condition.key` has it."""
    found = element.index_elem
    return quoted(found.name) if found.name else expression_text(found.expr)


def _columns_of(element: Any) -> set[str]:
    names = {element.index_elem.name} - {""}
    return names | {r.fields[-1].string.sval for r in messages(element, "ColumnRef")}


def _name(table: Table, elements: Sequence[Any]) -> str:
    """A name from the columns that no index of the table has."""
    words = "_".join(dict.fromkeys(name for e in elements for name in sorted(_columns_of(e))))
    base = f"{table.name}_{words}"[: _LONGEST - 6].rstrip("_") + "_idx"
    taken, number, name = {index.name for index in table.indexes}, 1, base
    while name in taken:
        name, number = f"{base}{number}", number + 1
    return name
