"""Storage parameters and the options of foreign things."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dbtrust.judge.repair.words import identifier, literal

_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}]+)')


def with_options(options: Sequence[str], toast: Sequence[str] = ()) -> str:
    """` WITH (fillfactor='70', toast.…)`, or nothing."""
    told = [_assigned(o) for o in options] + [_assigned(f"toast.{o}") for o in toast]
    return f" WITH ({', '.join(told)})" if told else ""


def _assigned(option: str) -> str:
    name, _, value = option.partition("=")
    space, dot, rest = name.partition(".")
    return (
        f"{identifier(space)}.{identifier(rest)}={literal(value)}"
        if dot
        else f"{identifier(name)}={literal(value)}"
    )


def change_options(head: str, new: Sequence[str], old: Sequence[str]) -> Iterator[str]:
    """`head` SET (…) and RESET (…)."""
    gone = sorted({_name(o) for o in old} - {_name(o) for o in new})
    changed = [o for o in new if o not in old]
    if gone:
        yield f"{head} RESET ({', '.join('.'.join(identifier(p) for p in n.split('.')) for n in gone)});"
    if changed:
        yield f"{head} SET ({', '.join(_assigned(o) for o in changed)});"


def _name(option: str) -> str:
    return option.partition("=")[0]


def server_options(new: Sequence[str], old: Sequence[str] | None = None) -> str:
    """The inside of OPTIONS (…); with `old` as ADD, SET and DROP."""
    wanted, there = (dict(_pair(o) for o in side or ()) for side in (new, old))
    told: list[str] = []
    for name, value in wanted.items():
        verb = "" if old is None else "SET " if name in there else "ADD "
        if there.get(name) != value:
            told.append(f"{verb}{identifier(name)} {literal(value)}")
    return ", ".join(told + [f"DROP {identifier(name)}" for name in there if name not in wanted])


def _pair(option: str) -> tuple[str, str]:
    name, _, value = option.partition("=")
    return name, value


def array_elements(text: str) -> list[str]:
    """The elements of a one-dimensional text array as the server writes it: '{a=b,"c=d e"}'."""
    return [
        re.sub(r"\\(.)", r"\1", m[1], flags=re.DOTALL) if m[2] is None else m[2]
        for m in _ELEMENT.finditer(text)
    ]
