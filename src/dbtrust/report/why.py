"""`claims why` for a person and as JSON: two plans side by side, where they part, and what changes the choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, cast

import orjson

from dbtrust.model.report import VERSION
from dbtrust.model.why import Why
from dbtrust.report.document import plain, visible
from dbtrust.report.lines import Line, paint, symbols
from dbtrust.report.tree import node_label
from dbtrust.report.words import ENGINES, STYLES, WORDS, flat, number

_Data = Mapping[str, Any]
#: Without a terminal, two plans stand side by side up to this width.
_WIDEST = 170
_EFFECTS = {
    "flips": "flips it",
    "partly": "not in every example",
    "no": "no effect",
    "failed": "not possible",
}


def render_why_json(why: Why) -> str:
    """One JSON document, described by why.schema.json beside this file."""
    return orjson.dumps(_document(why), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _document(why: Why) -> dict[str, Any]:
    return cast("dict[str, Any]", plain({"schema": 1, "dbtrust": VERSION} | why.to_dict()))


def why_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that every output of `render_why_json` fits."""
    return orjson.loads(files("dbtrust.report").joinpath("why.schema.json").read_bytes())


def render_why_text(
    why: Why, *, width: int | None = None, color: bool = False, unicode: bool = True, verbose: bool = False
) -> str:
    """Lines for a person; `verbose` adds the conditions of each node and the rejected plans' trees."""
    data = _document(why)
    lines = [*_head(data), *(line for e in data["explanations"] for line in _explanation(e, width, verbose))]
    return paint(lines, width=width, color=color, symbols=symbols(unicode))


def _head(data: _Data) -> Iterator[Line]:
    server = data["server"]
    how = "embedded" if server["embedded"] else "yours"
    said = f", project {visible(data['project'])}, {ENGINES[data['engine']]} {server['version']} ({how})"
    yield Line(0, ((f"dbtrust {data['dbtrust']}", "bold"), (said, "")))
    yield Line(0, ((f"rows: {flat(data['data'].get('rows', {}))}", "dim"),))
    yield Line(0)
    yield Line(0, ((visible(data["subject"]), "bold"),))


def _explanation(item: _Data, width: int | None, verbose: bool) -> Iterator[Line]:
    yield Line(0)
    outcome: str = item["verdict"]
    yield Line(
        2, ((f"@{outcome} {WORDS[outcome]}  ", STYLES[outcome]), (visible(item["claim"]), "bold")), hang=4
    )
    yield from _facts(
        {"because" if outcome != "holds" else "seen": item["message"], "example": item["example"]}
    )
    if item["chosen"] is not None:
        yield from _plans(item, width, verbose)
    for reason in item["impossible"]:
        yield from _facts({"the planner cannot make the claimed plan": reason})
    yield from _changes(item)
    yield from _rejected(item, verbose)
    for note in item["notes"]:
        yield from _facts({"note": note})
    yield from _facts({"next": item["next"] if item["smallest"] is None else ""})


def _facts(facts: Mapping[str, str]) -> Iterator[Line]:
    for name, text in facts.items():
        if text:
            yield Line(6, ((f"{name}: ", "dim"), (visible(text), "")), hang=2)


def _plans(item: _Data, width: int | None, verbose: bool) -> Iterator[Line]:
    chosen, other = item["chosen"], item["other"]
    left = ["chosen: " + _measures(chosen), *([] if other else _alone(chosen["plan"], verbose))]
    yield Line(0)
    if other is None:
        yield from (Line(6, ((visible(text), ""),), hang=4) for text in left)
        return
    word = "claimed" if other["satisfies"] else "next best"
    forced = ", ".join(other["forced_by"])
    right = f"{word} ({forced}): {_measures(other)}"
    rows = list(_rows(item, verbose))
    cells = [(left[0], right, False), *rows]
    wide = max(len(cell[0]) for cell in cells)
    if 6 + wide + 5 + max(len(cell[1]) for cell in cells) <= (width or _WIDEST):
        for text, beside, parts in cells:
            mark = "  ≠  " if parts else "     "
            yield Line(6, ((visible(text).ljust(wide) + mark + visible(beside), "yellow" if parts else ""),))
    else:
        yield from _one_side([(left, parts) for left, _, parts in cells])
        yield from _one_side([(right, parts) for _, right, parts in cells])
    yield from _parting(item)


def _one_side(cells: list[tuple[str, bool]]) -> Iterator[Line]:
    for text, parts in cells:
        if text:
            yield Line(6, ((visible(text) + ("  ≠" if parts else ""), "yellow" if parts else ""),), hang=4)


def _rows(item: _Data, verbose: bool) -> Iterator[tuple[str, str, bool]]:
    """(left, right, is it where they part) for each row of the alignment."""
    sides = [_trees(item["chosen"]["plan"], verbose), _trees(item["other"]["plan"], verbose)]
    for row, (a, b) in enumerate(item["pairs"]):
        cells = [sides[0].get(a, []), sides[1].get(b, [])]
        for line in range(max(len(cell) for cell in cells)):
            left, right = (cell[line] if line < len(cell) else "" for cell in cells)
            yield left, right, row == item["parting"] and line == 0


def _alone(plan: _Data, verbose: bool) -> list[str]:
    return [line for lines in _trees(plan, verbose).values() for line in lines]


def _trees(plan: _Data, verbose: bool) -> dict[int | None, list[str]]:
    """Node id -> its lines, indented by its depth."""
    depth: dict[int | None, int] = {None: -1}
    lines: dict[int | None, list[str]] = {}
    for node in cast("list[_Data]", plan["nodes"]):
        depth[node["id"]] = depth.get(node["parent"], -1) + 1
        indent = "  " * (depth[node["id"]] + 1)
        lines[node["id"]] = [f"{indent}{node_label(node)}{_counts(node)}"]
        detail = cast("_Data", node.get("detail") or {})
        for key in _CONDITIONS:
            value = detail.get(key)
            if value is not None and (verbose or key in _SHOWN):
                lines[node["id"]].append(f"{indent}    {key}: {flat(value)}"[:110])
    return lines


_SHOWN = ("Index Cond", "Filter", "Sort Key", "indexBounds", "sortPattern")
_CONDITIONS = (*_SHOWN, "Recheck Cond", "Join Filter", "Hash Cond", "Merge Cond", "keyPattern", "filter")


def _counts(node: _Data) -> str:
    """What is known of a node: cost and rows, or keys and documents."""
    parts: list[str] = []
    if node.get("cost") is not None:
        parts.append(f"cost {number(node['cost'])}")
    if node.get("estimated_rows") is not None:
        actual = f" → {number(node['rows'])}" if node.get("rows") is not None else ""
        parts.append(f"rows {number(node['estimated_rows'])}{actual}")
    parts += [f"{key} {number(node[key])}" for key in ("keys", "documents") if node.get(key) is not None]
    return f"  ({', '.join(parts)})" if parts else ""


def _measures(side: _Data) -> str:
    """Cost, time and blocks of a whole plan; keys, documents and works on MongoDB."""
    totals: _Data = side["plan"]["totals"]
    parts = [f"cost {number(totals['cost'])}"] if "cost" in totals else []
    if totals.get("execution_ms") is not None:
        parts.append(f"{number(totals['execution_ms'])} ms")
    if totals.get("hit") is not None:
        parts.append(f"{number(totals['hit'] + totals.get('read', 0))} blocks")
    parts += [f"{key} {number(totals[key])}" for key in ("keys", "documents") if totals.get(key) is not None]
    parts += [f"works {number(side['works'])}"] if side["works"] is not None else []
    return ", ".join(parts) or "planned only"


def _parting(item: _Data) -> Iterator[Line]:
    if item["parting"] is None:
        yield from _facts({"they part": "nowhere: the same nodes, other numbers"})
        return
    if item["margin"] is not None:
        yield from _facts({"margin": f"the other plan costs {number(item['margin'])} times as much"})
    names = [_at_parting(item, place, side) for place, side in enumerate(("chosen", "other"))]
    yield from _facts({"they part at": f"{names[0]}; there: {names[1]}"})


def _at_parting(item: _Data, place: int, side: str) -> str:
    """The node of one side where the trees part, or the first one after that."""
    rows: list[list[int | None]] = item["pairs"][item["parting"] :]
    number_ = next((row[place] for row in rows if row[place] is not None), None)
    if number_ is None:
        return "nothing"
    return f"{node_label(item[side]['plan']['nodes'][number_])} (node {number_})"


def _changes(item: _Data) -> Iterator[Line]:
    changes: list[_Data] = item["changes"]
    if not changes:
        return
    yield Line(0)
    smallest = item["smallest"]
    if smallest is None:
        yield Line(6, (("nothing that was tried makes the claim hold", "bold"),))
    for place, change in enumerate(changes):
        if place == smallest:
            yield from _smallest(change)
    for place, change in enumerate(changes):
        if place != smallest:
            yield from _tried(change)


def _smallest(change: _Data) -> Iterator[Line]:
    yield Line(6, (("smallest change that flips it: ", "bold"), (visible(change["title"]), "green")), hang=2)
    yield from (Line(10, ((visible(statement), ""),), hang=2) for statement in change["statements"])
    cost = f" (cost {number(change['cost'])})" if change["cost"] is not None else ""
    yield Line(8, (("then: ", "dim"), (visible(change["message"]) + cost, "")), hang=2)
    if change["warning"]:
        yield Line(8, (("warning: ", "yellow"), (visible(change["warning"]), "")), hang=2)
    if change["breaks"]:
        yield Line(
            8,
            (("but these claims then fail: ", "yellow"), (visible("; ".join(change["breaks"])), "")),
            hang=2,
        )


def _tried(change: _Data) -> Iterator[Line]:
    effect: str = change["effect"]
    word = "also flips it" if effect == "flips" else f"tried, {_EFFECTS[effect]}"
    style = "green" if effect == "flips" else "dim"
    message = change["message"] + (
        f"; but then fails: {'; '.join(change['breaks'])}" if change["breaks"] else ""
    )
    if effect == "flips" and change["warning"]:
        message += f"; warning: {change['warning']}"
    yield Line(
        6, ((f"{word}: ", style), (visible(change["title"]), ""), (f"  [{visible(message)}]", "dim")), hang=2
    )


def _rejected(item: _Data, verbose: bool) -> Iterator[Line]:
    """The plans that MongoDB tried itself and left."""
    for plan in item["rejected"]:
        totals = plan["totals"]
        said = ", ".join(f"{key} {number(totals[key])}" for key in ("keys", "documents") if key in totals)
        chain = " < ".join(node_label(node) for node in plan["nodes"])
        yield from _facts(
            {"the server tried and rejected": f"{chain}{f' ({said} in the trial)' if said else ''}"}
        )
        if verbose:
            yield from (Line(10, ((visible(text), ""),)) for text in _alone(plan, verbose))
