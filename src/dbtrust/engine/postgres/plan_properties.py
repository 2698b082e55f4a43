"""The lines below a node of EXPLAIN's text format, as the properties that its JSON format writes. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dbtrust.engine.postgres.plan_lines import Properties, number

_LISTS = frozenset({
    "Output", "Sort Key", "Presorted Key", "Group Key", "Hash Key", "Conflict Arbiter Indexes",
})  # fmt: skip
#: What ends so is an expression: "false" and "5" in it are text.
_EXPRESSIONS = (" Cond", "Filter", " Key", " Call", " Condition", "Order By", "SQL")
_FIELD = re.compile(r"([A-Z][\w /-]*?): +(.*?)(?=  [A-Z][\w /-]*: |$)")
_MEASURE = re.compile(r"(-?\d+(?:\.\d+)?)(?: ?(?:kB|ms))?")
_PAIR = re.compile(r"([a-z][a-z ]*)=(\d+(?:\.\d+)?)")
_SAMPLING = re.compile(r"(\S+) \((.*?)\)(?: REPEATABLE \((.*)\))?", re.DOTALL)
_SETTING = re.compile(r"([\w.]+) = '(.*?)'(?=, [\w.]+ = '|$)", re.DOTALL)
_TRIGGER = re.compile(
    r"Trigger(?: (?!for constraint )(?P<name>.+?))?(?: for constraint (?P<constraint>.+?))?(?: on (?P<relation>.+))?: "
    r"(?:time=(?P<time>[\d.]+) )?calls=(?P<calls>[\d.]+)"
)


def measure(text: str) -> Any:
    """A number with or without its unit, true or false, else the text itself."""
    if match := _MEASURE.fullmatch(text):
        return number(match[1])
    return {"true": True, "false": False}.get(text, text)


def items(text: str) -> list[str]:
    """Expressions separated by commas; those inside brackets and quotes separate nothing."""
    found, depth, start, quote = list[str](), 0, 0, ""
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth == 0 and text[at + 1 : at + 2] == " ":
            found.append(text[start:at])
            start = at + 2
    return [*found, text[start:]]


def properties(key: str, value: str, owner: Properties) -> Properties:
    """What one line "key: value" below the node `owner` says."""
    if key in _LISTS:
        return {key: items(value)}
    if key == "Batches" and owner.get("Node Type") == "Aggregate":
        return _batches(key, value)
    if read := _SPECIAL.get(key):
        return read(key, value)
    if key.endswith(_EXPRESSIONS) and not key.startswith("Rows Removed"):
        return {key: value}
    return {key: measure(value)}


def _fields(key: str, value: str) -> dict[str, str]:
    """The fields of a line that has several: "Hits: 4  Misses: 1"."""
    return {match[1]: match[2].strip() for match in _FIELD.finditer(f"{key}: {value}")}


def _renamed(names: Mapping[str, str]) -> Callable[[str, str], Properties]:
    return lambda key, value: {
        names.get(name, name): measure(text) for name, text in _fields(key, value).items()
    }


def _sort_method(key: str, value: str) -> Properties:
    fields = iter(_fields(key, value).items())
    found: Properties = {"Sort Method": next(fields, ("", value))[1]}
    for space, used in fields:
        found |= {"Sort Space Used": measure(used), "Sort Space Type": space}
    return found


def _batches(key: str, value: str) -> Properties:
    names = {"Batches": "HashAgg Batches", "Memory Usage": "Peak Memory Usage"}
    found = _renamed(names)(key, value)
    return (
        found | ({} if "Disk Usage" in found else {"Disk Usage": 0}) if "HashAgg Batches" in found else found
    )


_ORIGINALLY = re.compile(r"(\d+)(?: \(originally (\d+)\))?")


def _buckets(key: str, value: str) -> Properties:
    found: Properties = {}
    for name, text in _fields(key, value).items():
        if name == "Memory Usage":
            found["Peak Memory Usage"] = measure(text)
        elif match := _ORIGINALLY.fullmatch(text):
            found[f"Hash {name}"] = int(match[1])
            found[f"Original Hash {name}"] = int(match[2] or match[1])
    return found


def _pairs(value: str) -> Iterator[tuple[str, str, float]]:
    """shared hit=5 read=3, temp read=1 -> (shared, hit, 5), (shared, read, 3), (temp, read, 1)"""
    for group in value.split(","):
        words = group.strip().partition(" ")
        kind, rest = ("", group) if "=" in words[0] else (words[0], words[2])
        for name, count in _PAIR.findall(rest):
            yield kind, name.strip(), number(count)


def _buffers(_key: str, value: str) -> Properties:
    return {f"{kind.title()} {name.title()} Blocks": count for kind, name, count in _pairs(value)}


_OLD_KINDS = {"": "", "shared/local": ""}


def _timings(_key: str, value: str) -> Properties:
    kinds = {kind: _OLD_KINDS.get(kind, f"{kind.title()} ") for kind, _, _ in _pairs(value)}
    return {f"{kinds[kind]}I/O {name.title()} Time": count for kind, name, count in _pairs(value)}


def _wal(_key: str, value: str) -> Properties:
    return {f"WAL {'FPI' if name == 'fpi' else name.title()}": count for _, name, count in _pairs(value)}


def _heap_blocks(_key: str, value: str) -> Properties:
    return {f"{name.title()} Heap Blocks": count for _, name, count in _pairs(value)}


def _tuples(_key: str, value: str) -> Properties:
    return {f"Tuples {name.title()}": count for _, name, count in _pairs(value)}


def _sampling(key: str, value: str) -> Properties:
    match = _SAMPLING.fullmatch(value)
    if match is None:
        return {key: value}
    seed = {"Repeatable Seed": match[3]} if match[3] else {}
    return {"Sampling Method": match[1], "Sampling Parameters": items(match[2])} | seed


def _sort_groups(key: str, value: str) -> Properties:
    fields = _fields(key, value)
    methods = next((text for name, text in fields.items() if name.startswith("Sort Method")), "")
    found: Properties = {"Group Count": measure(fields.get(key, "")), "Sort Methods Used": items(methods)}
    for space in ("Memory", "Disk"):
        if f"Peak {space}" in fields:
            found[f"Sort Space {space}"] = {
                "Average Sort Space Used": measure(fields.get(f"Average {space}", "")),
                "Peak Sort Space Used": measure(fields[f"Peak {space}"]),
            }
    return {key: found}


_CACHE = {name: f"Cache {name}" for name in ("Hits", "Misses", "Evictions", "Overflows")}
_SPECIAL: Mapping[str, Callable[[str, str], Properties]] = {
    "Sort Method": _sort_method, "Buckets": _buckets, "Planned Partitions": _batches,
    "Hits": _renamed(_CACHE | {"Memory Usage": "Peak Memory Usage"}), "Buffers": _buffers,
    "I/O Timings": _timings, "WAL": _wal, "Heap Blocks": _heap_blocks, "Tuples": _tuples,
    "Sampling": _sampling, "Storage": _renamed({}), "Full-sort Groups": _sort_groups,
    "Pre-sorted Groups": _sort_groups,
    "Memory": lambda _key, value: {f"Memory {n.title()}": count for _, n, count in _pairs(value.replace("kB", ""))},
}  # fmt: skip


def grouping(node: Properties, key: str, value: str) -> bool:
    """Takes a line of an Aggregate's grouping sets into `node`; False where it is none.

    One group key is a property of its own; with a second one, a hash key or a sort key they are sets.
    """
    if node.get("Node Type") != "Aggregate" or key not in ("Group Key", "Hash Key", "Sort Key"):
        return False
    keys: list[str] = [] if value == "()" else items(value)
    if key == "Group Key" and not {"Group Key", "Grouping Sets"} & set(node) and keys:
        node["Group Key"] = keys
        return True
    sets: list[Properties] = node.setdefault("Grouping Sets", [])
    if (first := node.pop("Group Key", None)) is not None:
        sets.append({"Group Keys": [first]})
    if key == "Sort Key":
        sets.append({"Sort Key": keys, "Group Keys": []})
    elif key == "Hash Key":
        sets.append({"Hash Keys": [keys]})
    elif sets and "Group Keys" in sets[-1]:
        sets[-1]["Group Keys"].append(keys)
    else:
        sets.append({"Group Keys": [keys]})
    return True


def settings(value: str) -> dict[str, str]:
    """random_page_cost = '1.1', work_mem = '1MB'"""
    return dict(_SETTING.findall(value))


def trigger(text: str) -> Properties | None:
    """A line about a trigger; None for any other line."""
    match = _TRIGGER.fullmatch(text.strip())
    if match is None:
        return None
    names = {"Trigger Name": "name", "Constraint Name": "constraint", "Relation": "relation"}
    found: Properties = {key: match[group] for key, group in names.items() if match[group]}
    timed = {"Time": number(match["time"])} if match["time"] else {}
    return found | timed | {"Calls": number(match["calls"])}


_TIMED = re.compile(r"(\w+) (\d+\.\d+) ms(?: \(Deform (\d+\.\d+) ms\))?")


def compilation(key: str, value: str) -> Properties:
    """A line of the JIT block."""
    if key == "Options":
        words = (item.partition(" ") for item in value.split(", "))
        return {key: {name: flag == "true" for name, _, flag in words}}
    if key != "Timing":
        return {key: measure(value)}
    times: Properties = {name: number(ms) for name, ms, _ in _TIMED.findall(value)}
    deform = next((inner for _, _, inner in _TIMED.findall(value) if inner), None)
    if deform is not None:
        times["Generation"] = {"Deform": number(deform), "Total": times.get("Generation")}
    return {key: times}
