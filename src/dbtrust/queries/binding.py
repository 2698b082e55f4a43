"""Methods bound to named queries when their class is made: by name, by signature, by return annotation."""

from __future__ import annotations

import dis
import inspect
import itertools
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, NewType

from dbtrust.model.errors import ContractError, QueryFileError, RowCountError
from dbtrust.model.location import Location
from dbtrust.queries.files import NamedSql, read_named
from dbtrust.queries.placeholders import BoundSql, bind_params, choices, choose
from dbtrust.queries.results import Result, RowMaker, matches_names, result_of, row_maker

#: The number of rows that a statement changed.
Affected = NewType("Affected", int)
#: aiosql's operators and the results that do not contradict them.
_OPERATORS: dict[str, frozenset[str]] = {
    "^": frozenset({"one", "optional"}),
    "$": frozenset({"one", "optional"}),
    "<!": frozenset({"one", "optional", "list", "affected", "nothing"}),
    "!": frozenset({"affected", "nothing"}),
    "*!": frozenset({"affected", "nothing"}),
    "#": frozenset({"nothing"}),
}


@dataclass(slots=True)
class BoundQuery:
    """A method and its query. `bound` is the SQL with $1 … (choices still open), `sql` the text of each choice."""

    query: NamedSql
    bound: BoundSql
    signature: inspect.Signature
    result: Result
    annotations: Mapping[str, Any]
    label: str
    sql: dict[tuple[str, ...], bytes] = field(default_factory=dict[tuple[str, ...], bytes])
    by_name: bool = True
    _makers: dict[tuple[bytes, ...] | int, RowMaker | None] = field(
        default_factory=dict["tuple[bytes, ...] | int", "RowMaker | None"]
    )

    @property
    def iterates(self) -> bool:
        """Does the method read through a server-side cursor?"""
        return self.result.rows == "iterator"

    @property
    def many(self) -> bool:
        """Does the method run once for each element of its one argument (aiosql's `*!`)?"""
        return self.query.operator == "*!"

    @property
    def place(self) -> Location:
        return Location(self.query.file, self.query.line, 1)

    def text(self, chosen: tuple[str, ...]) -> bytes:
        """The SQL for values of the choices, in the order of `query.choices`. Raises ContractError for another value."""
        try:
            return self.sql[chosen]
        except (KeyError, TypeError):
            raise self._no_choice(chosen) from None

    def _no_choice(self, chosen: tuple[Any, ...]) -> ContractError:
        for value, (name, listed) in zip(chosen, self.query.choices.items(), strict=True):
            if value not in listed:
                return self.wrong(f"{name} = {value!r} is no choice", f"choices are {', '.join(listed)}")
        return self.wrong(f"{chosen!r} is no choice", "give text")

    def maker(self, columns: tuple[bytes, ...] | int) -> RowMaker | None:
        """The row maker for columns of these names, or for so many where names do not count.

        They may change between two calls, as after a migration. Raises ContractError where they do not fit.
        """
        try:
            return self._makers[columns]
        except KeyError:
            return self._make(columns)

    def _make(self, columns: tuple[bytes, ...] | int) -> RowMaker | None:
        if not columns:
            raise self.wrong("the query gives no rows", "return Affected, or add RETURNING")
        if isinstance(columns, int):
            names = [f"column {place + 1}" for place in range(columns)]
        else:
            names = [name.decode() for name in columns]
        try:
            maker = row_maker(self.result.row, names)
        except ContractError as error:
            raise self.wrong(error.message, error.next) from None
        self._makers[columns] = maker
        return maker

    def wrong(self, message: str, step: str) -> ContractError:
        """A ContractError that names the method and the query's place."""
        return ContractError(f"{self.label}: {message}", location=self.place, next=step)

    def miscounted(self, found: str) -> RowCountError:
        """A RowCountError that names the method, what it promises and what was found."""
        wanted = "exactly one row" if self.result.rows == "one" else "at most one row"
        return RowCountError(
            f"{self.label} promises {wanted}, found {found}",
            location=self.place,
            next="return list[...] or add a condition" if found != "none" else "return … | None",
        )

    def unfit(self, error: ValueError) -> ContractError | None:
        """What a row that pydantic refused says, or None for another error."""
        errors = getattr(error, "errors", None)
        if errors is None:
            return None
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in errors(include_url=False))
        return self.wrong(
            f"a row does not fit {getattr(error, 'title', 'the model')}: {told}",
            "mend the model or the query",
        )

    def note(self, error: BaseException) -> None:
        """Says on the driver's own error which query it was."""
        error.add_note(f"in {self.label}, {self.place}")


class Bound:
    """Binds methods whose body is `...` when the class is made; see SqlQueries."""

    __dbtrust_queries__: ClassVar[Mapping[str, BoundQuery]] = {}
    _asynchronous: ClassVar[bool] = False

    @staticmethod
    def _runner(bound: BoundQuery) -> Callable[..., Any]:
        raise NotImplementedError

    def __init_subclass__(cls, file: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if file is None:
            return
        path = _path(cls, file)
        queries = read_named(path)
        names = sys._getframe(1).f_locals  # pyright: ignore[reportPrivateUsage]
        found: dict[str, BoundQuery] = {}
        for name, function in list(vars(cls).items()):
            if inspect.isfunction(function) and not name.startswith("_") and is_stub(function):
                found[name] = _bind(cls, function, queries, path, names)
                setattr(cls, name, _dress(cls._runner(found[name]), function, found[name]))
        cls.__dbtrust_queries__ = {**cls.__dbtrust_queries__, **found}


def _path(cls: type, file: str) -> Path:
    module = sys.modules.get(cls.__module__)
    beside = getattr(module, "__file__", None)
    if beside is None and not Path(file).is_absolute():
        message = f"{cls.__name__}: {file} lies beside the module, and {cls.__module__} is no file"
        raise QueryFileError(message, next="give an absolute path, or define the class in a module")
    return Path(str(beside)).parent / file if beside is not None else Path(file)


def is_stub(function: Any) -> bool:
    """Is the body only `...` (and perhaps a docstring)? Compared by byte code: the source may not be there."""
    names = {"RESUME", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "NOP", "RETURN_GENERATOR", "POP_TOP"}
    code = function.__code__
    constants = [c for c in code.co_consts if c is not None and c is not Ellipsis and c != function.__doc__]
    return not constants and not code.co_names and all(i.opname in names for i in dis.get_instructions(code))


def _bind(
    cls: type[Bound], function: Any, queries: Mapping[str, NamedSql], path: Path, names: Mapping[str, Any]
) -> BoundQuery:
    name, label = function.__name__, f"{cls.__name__}.{function.__name__}"
    place = Location(function.__code__.co_filename, function.__code__.co_firstlineno, 1)
    if name not in queries:
        close = get_close_matches(name, list(queries), n=1)
        step = f"did you mean {close[0]}?" if close else f"add -- name: {name} to {path.name}"
        raise QueryFileError(f"{label} has no query in {path.name}", location=place, next=step)
    query = queries[name]
    signature, bound = inspect.signature(function), bind_params(query.sql)
    _check_signature(signature, bound, query, label, place)
    annotations = _annotations(function, names, label, place)
    try:
        result = result_of(annotations["return"], Affected)
    except ContractError as error:
        raise ContractError(f"{label}: {error.message}", location=place, next=error.next) from None
    _check_kind(cls, function, query, result, label, place)
    texts = _texts(query, label)
    return BoundQuery(
        query, bound, signature, result, annotations, label, texts, by_name=matches_names(result.row)
    )


def _check_signature(
    signature: inspect.Signature, bound: BoundSql, query: NamedSql, label: str, place: Location
) -> None:
    loose = [p.name for p in signature.parameters.values() if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if loose:
        step = "name its parameters: an optional filter is a query of its own"
        raise ContractError(f"{label} takes *{loose[0]}", location=place, next=step)
    if query.operator == "*!":
        if len(signature.parameters) != 2:
            step = "give it one sequence of mappings or tuples"
            raise ContractError(f"{label} runs many times and takes one argument", location=place, next=step)
        return
    missing = [p for p in (*bound.names, *query.choices) if p not in signature.parameters]
    if missing:
        step = f"add {missing[0]} to its signature"
        raise ContractError(f"{label} has no parameter {missing[0]}", location=place, next=step)


def _annotations(function: Any, names: Mapping[str, Any], label: str, place: Location) -> dict[str, Any]:
    try:
        # The names of a function in which the class is made are no globals.
        annotations = typing.get_type_hints(function, localns=dict(names))
    except (NameError, TypeError) as error:
        step = "define that type above the class, or import it at run time"
        raise ContractError(
            f"{label}: its annotations cannot be read: {error}", location=place, next=step
        ) from None
    if "return" not in annotations:
        step = "annotate the rows it gives"
        raise ContractError(f"{label} has no return annotation", location=place, next=step)
    return annotations


def _check_kind(
    cls: type[Bound], function: Any, query: NamedSql, result: Result, label: str, place: Location
) -> None:
    wanted = cls._asynchronous and result.rows != "iterator"  # pyright: ignore[reportPrivateUsage]
    if inspect.iscoroutinefunction(function) != wanted:
        kind = "async def" if wanted else "def"
        raise ContractError(f"{label} must be written with {kind}", location=place, next=f"write {kind}")
    if result.rows == "iterator" and result.asynchronous != cls._asynchronous:  # pyright: ignore[reportPrivateUsage]
        kind = "AsyncIterator" if cls._asynchronous else "Iterator"  # pyright: ignore[reportPrivateUsage]
        raise ContractError(
            f"{label} gives the other kind of iterator", location=place, next=f"return {kind}[…]"
        )
    fitting = _OPERATORS.get(query.operator)
    if fitting is not None and result.rows not in fitting:
        step = f"change the annotation, or take {query.operator} off the name in {Path(query.file).name}:{query.line}"
        message = f"{label}: the operator {query.operator} of its query contradicts its return annotation"
        raise ContractError(message, location=place, next=step)


def _texts(query: NamedSql, label: str) -> dict[tuple[str, ...], bytes]:
    """The SQL of every combination of choices: nothing is put together from values at run time."""
    place = Location(query.file, query.line, 1)
    holes = {name for _, _, name in choices(query.sql)}
    for name in sorted(holes ^ set(query.choices)):
        if name in holes:
            message, step = f"{{{name}}} has no -- choice: line", f"add -- choice: {name} = one | other"
        else:
            message, step = f"the choice {name} has no {{{name}}} in the SQL", "remove the line, or use it"
        raise QueryFileError(f"{label}: {message}", location=place, next=step)
    found: dict[tuple[str, ...], bytes] = {}
    for words in itertools.product(*query.choices.values()):
        sql = choose(query.sql, dict(zip(query.choices, words, strict=True)))
        found[words] = bind_params(sql).text.encode()
    return found


def _dress(runner: Any, function: Any, bound: BoundQuery) -> Any:
    """A method with the function's own signature, so that Python itself binds and refuses arguments."""
    parameters = list(bound.signature.parameters.values())
    names = [p.name for p in parameters]
    values = "values" if bound.many else "(" + "".join(f"{n}, " for n in bound.bound.names) + ")"
    chosen = "(" + "".join(f"{n}, " for n in bound.query.choices) + ")"
    if bound.many:
        values = names[1]
    source = f"def {function.__name__}({_arguments(parameters)}):\n    return __run({names[0]}.connection, {values}, {chosen})\n"
    scope: dict[str, Any] = {"__run": runner}
    scope |= {f"__d{i}": p.default for i, p in enumerate(parameters) if p.default is not p.empty}
    exec(compile(source, f"<{bound.label}>", "exec"), scope)  # noqa: S102 identifiers of a signature that Python accepted, nothing else
    method = scope[function.__name__]
    for name in ("__name__", "__qualname__", "__doc__", "__module__", "__annotations__"):
        setattr(method, name, getattr(function, name))
    method.__wrapped__, method.__dbtrust_query__ = function, bound
    return method


def _arguments(parameters: Sequence[inspect.Parameter]) -> str:
    """The parameter list as source, with defaults by reference."""
    parts: list[str] = []
    last = None
    for i, p in enumerate(parameters):
        if last == p.POSITIONAL_ONLY != p.kind:
            parts.append("/")
        if p.kind == p.KEYWORD_ONLY != last:
            parts.append("*")
        parts.append(p.name if p.default is p.empty else f"{p.name}=__d{i}")
        last = p.kind
    return ", ".join([*parts, "/"] if last == inspect.Parameter.POSITIONAL_ONLY else parts)
