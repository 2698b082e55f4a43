"""One plan alone: a tree with columns for a terminal, a page, or the JSON document of plan.schema.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, cast

import orjson

from dbtrust.model.plan import Plan
from dbtrust.report.document import plain, visible
from dbtrust.report.lines import Line, paint, symbols
from dbtrust.report.tree import HEADINGS, PlanView, Row, plan_view
from dbtrust.report.words import clipped, flat

#: Deeper nodes are not indented any further; their depth is written.
_DEEPEST = 24
#: A node's name may make the first column this wide, not wider.
_WIDEST = 72
_SHORT = {
    "rows": "rows est→real", "loops": "loops", "cost": "cost", "time": "own ms", "blocks": "hit+read",
    "keys": "keys", "documents": "documents",
}  # fmt: skip
_IN_WORDS = {
    "rows": "rows", "loops": "loops", "cost": "cost", "time": "own ms", "blocks": "blocks", "keys": "keys",
    "documents": "documents",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A plan and where it is from. `title` is one line."""

    plan: Plan
    title: str


def render_plan_json(plan: Plan) -> str:
    """{"plan": {"engine": …, "nodes": […], "totals": …}}, indented, without any password."""
    document = {"plan": plain(plan.to_dict())}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def plan_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that every output of `render_plan_json` fits."""
    return orjson.loads(files("dbtrust.report").joinpath("plan.schema.json").read_bytes())


def render_plan_html(shown: Shown) -> str:
    """A page that needs nothing else."""
    from dbtrust.report.html import PlanCard, environment

    card = PlanCard("plan", 1, _view(shown.plan), "", open=True, marked={})
    return environment().get_template("plan.html.j2").render(
        title=plain(shown.title), card=card, headings=HEADINGS, notes=list(_notes(shown.plan)),
    )  # fmt: skip


def render_plan_text(
    shown: Shown, *, width: int | None = None, color: bool = False, unicode: bool = True, quiet: bool = False,
    verbose: bool = False,
) -> str:  # fmt: skip
    """The tree for a person: columns beside the nodes, or below them where `width` cells are too few.

    `quiet` leaves out the conditions, `verbose` shows long ones whole. `color` and `unicode` as in render_text.
    """
    view = _view(shown.plan)
    lines = [Line(0, ((_clean(plain(shown.title)), "bold"),))]
    if view.command and not quiet:
        lines.append(Line(0, ((_clean(clipped(view.command, 100_000 if verbose else 500)), "dim"),)))
    lines += [Line(0), *_table(view, width, unicode=unicode, quiet=quiet, verbose=verbose), Line(0)]
    if view.totals:
        lines.append(Line(0, ((", ".join(f"{label} {value}" for label, value in view.totals), ""),)))
    lines += [Line(0, ((_clean(note), style),), hang=2) for note, style in _notes(shown.plan)]
    return _plain_ascii(paint(lines, width=width, color=color, symbols=symbols(unicode)), unicode)


def _view(plan: Plan) -> PlanView:
    return plan_view(cast("Mapping[str, Any]", plain(plan.to_dict())))


def _clean(text: str) -> str:
    """For a terminal; line breaks of a statement are only blanks."""
    return visible(" ".join(text.split("\n")))


def _plain_ascii(text: str, unicode: bool) -> str:
    if unicode:
        return text
    for character, plain_text in (("→", "->"), ("…", ".."), ("×", "x"), ("└─", "->"), ("–", "-")):
        text = text.replace(character, plain_text)
    return text


def _notes(plan: Plan) -> Iterator[tuple[str, str]]:
    """What is to be said about the plan as a whole, with its style."""
    totals = cast("Mapping[str, Any]", plain(dict(plan.totals)))
    for trigger in cast("list[Any]", totals.get("triggers") or []):
        yield f"trigger {flat(trigger)}", ""
    if totals.get("settings"):
        yield f"settings {flat(totals['settings'])}", ""
    if plan.nodes and not plan.analyzed:
        said = "MongoDB estimates nothing" if plan.engine == "mongo" else "all numbers are estimates"
        yield f"not executed: {said}", "yellow"
    for name in plan.unknown:
        yield f"not known to this version of dbtrust: {name}", "yellow"


def _table(view: PlanView, width: int | None, *, unicode: bool, quiet: bool, verbose: bool) -> Iterator[Line]:
    names = [_name(row) for row in view.rows]
    shares = any(row.share for row in view.rows)
    cells = [_cells(row, view.columns, shares=shares) for row in view.rows]
    widths = [
        max([len(_SHORT[column]), *(len(line[at]) for line in cells)])
        for at, column in enumerate(view.columns)
    ]
    first = min(_WIDEST, max([4, *map(len, names)]))
    wide = width is None or first + sum(widths) + 2 * len(widths) <= width
    if wide and view.columns:
        heading = "  ".join(_SHORT[c].rjust(w) for c, w in zip(view.columns, widths, strict=True))
        yield Line(0, ((f"{'node'.ljust(first)}  {heading}", "dim"),))
    for row, name, values in zip(view.rows, names, cells, strict=True):
        yield from _node_lines(row, name, values, view.columns, widths if wide else None, first)
        if not quiet:
            yield from _condition_lines(row, verbose)


def _node_lines(
    row: Row, name: str, values: list[str], columns: tuple[str, ...], widths: list[int] | None, first: int
) -> Iterator[Line]:
    far = ((f"  {row.far_off}", "bold red"),) if row.far_off else ()
    if widths is not None:
        table = "  ".join(value.rjust(w) for value, w in zip(values, widths, strict=True))
        yield Line(0, ((name.ljust(first), "bold"), (f"  {table}", _heat(row)), *far))
        return
    yield Line(0, ((name, "bold"),), hang=_inset(row))
    said = ", ".join(
        f"{_IN_WORDS[column]} {' '.join(value.split())}"
        for column, value in zip(columns, values, strict=True)
    )
    yield Line(_inset(row), ((said, _heat(row)), *far), hang=2)


def _condition_lines(row: Row, verbose: bool) -> Iterator[Line]:
    for key, value in row.conditions:
        text = clipped(f"{key}: {value}" if value else key, 100_000 if verbose else 240)
        yield Line(_inset(row), ((_clean(text), "dim"),), hang=2)


def _inset(row: Row) -> int:
    return 3 * min(row.depth, _DEEPEST) + 2


def _name(row: Row) -> str:
    twig = f"{'   ' * (min(row.depth, _DEEPEST) - 1)}└─ " if row.depth else ""
    depth = f"({row.depth} deep) " if row.depth > _DEEPEST else ""
    label = f"{row.label}: " if row.label else ""
    return twig + _clean(" ".join(f"{depth}{label}{row.type} {row.target}".split("\n")).rstrip())


def _cells(row: Row, columns: tuple[str, ...], *, shares: bool) -> list[str]:
    """The cells, the time with its share of the whole."""
    return [
        f"{cell} {f'({row.share}%)':>6}" if column == "time" and shares and cell != "–" else cell
        for column, cell in zip(columns, row.cells, strict=True)
    ]


def _heat(row: Row) -> str:
    return "bold yellow" if row.share >= 50 else ""
