"""The words in which text and HTML say the same things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

ENGINES: Mapping[str | None, str] = {"postgres": "PostgreSQL", "mongo": "MongoDB", None: "Project"}
WORDS = {"holds": "holds", "refuted": "refuted", "unproved": "unproved", "not_applicable": "not applicable"}
STYLES = {
    "holds": "green", "refuted": "bold red", "unproved": "yellow", "not_applicable": "dim",
    "error": "bold red", "warning": "yellow", "info": "cyan",
}  # fmt: skip
#: Evidence that is shown in a way of its own.
#: A repair is shown as the next step.
_SPECIAL = ("data", "examples", "example", "node", "plan", "plans", "repair")


def clipped(text: str, length: int = 160) -> str:
    """The beginning of a long text, ending in … where something was left out."""
    return text if len(text) <= length else f"{text[: length - 2].rstrip()} …"


def place(location: Mapping[str, Any]) -> str:
    """file:line:column, as far as they are known."""
    return ":".join(str(location[key]) for key in ("file", "line", "column") if location[key] is not None)


def number(value: Any) -> str:
    """A count or a measure for reading: 1,234 or 0.042."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (int, float)):
        return str(value)
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.2f}".rstrip("0").rstrip(".") if abs(value) >= 1 else f"{value:.3g}"


def node_title(node: Any) -> str:
    """Seq Scan on users using idx (node 3), or nothing where this is no plan node."""
    if not is_node(node):
        return ""
    relation = f" on {node['relation']}" if node.get("relation") else ""
    index = f" using {node['index']}" if node.get("index") else ""
    return f"{node['type']}{index}{relation} (node {node.get('id', '?')})"


def is_node(value: Any) -> bool:
    """Is this Node.to_dict()?"""
    return isinstance(value, Mapping) and isinstance(cast("Mapping[str, Any]", value).get("type"), str)


def evidence_facts(evidence: Mapping[str, Any], *, full: bool = False) -> Iterator[tuple[str, str]]:
    """The evidence beside example, node and plans as (name, text); `full` with the data it was judged on."""
    for key, value in evidence.items():
        if key in _SPECIAL:
            continue
        if key == "counter_example" and isinstance(value, Mapping):
            yield from _counter_example(cast("Mapping[str, Any]", value))
            continue
        if key == "difference" and isinstance(value, list):
            yield from (("difference", str(line)) for line in cast("list[Any]", value))
            continue
        if isinstance(value, (Mapping, list)):
            if full and not has_nodes(value):
                yield key.replace("_", " "), flat(value)
        else:
            yield key.replace("_", " "), number(value)
    if full and "data" in evidence:
        yield "data", flat(evidence["data"])


def _counter_example(example: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The statements to run and what then comes out, line by line; what has another form on one line."""
    if "inserts" not in example:
        yield "counter-example", flat(example)
        return
    yield from (("insert", statement) for statement in example["inserts"])
    if example["parameters"]:
        given: Mapping[str, Any] = example["parameters"]
        yield "with", _row(list(given), list(given.values()))
    rows: list[list[Any]] = example["rows"] or [[]]
    for row in rows:
        yield "gives", _row(example["columns"], row) if row else "no row"


def _row(columns: list[str], values: list[Any]) -> str:
    """One row as SQL people read it."""
    shown = ("NULL" if value is None else str(value) for value in values)
    return ", ".join(f"{name} = {text}" for name, text in zip(columns, shown, strict=False))


def has_nodes(value: Any) -> bool:
    """Is this Plan.to_dict()?"""
    if not isinstance(value, Mapping):
        return False
    nodes = cast("Mapping[str, Any]", value).get("nodes")
    return isinstance(nodes, list) and all(is_node(node) for node in cast("list[Any]", nodes))


def flat(value: Any) -> str:
    """A nested value on one line: a: 1, b: (c: 2), [3, 4]."""
    if isinstance(value, Mapping):
        inner = cast("Mapping[str, Any]", value).items()
        return (
            ", ".join(f"{k}: {f'({flat(v)})' if isinstance(v, Mapping) and v else flat(v)}" for k, v in inner)
            or "-"
        )
    if isinstance(value, list):
        return f"[{', '.join(flat(item) for item in cast('list[Any]', value))}]"
    return "-" if value is None else number(value)
