"""Lines of styled text, wrapped and coloured for a terminal or plain for everything else."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Line(NamedTuple):
    """`parts` are (text, style of rich); a continuation is indented by `indent` + `hang` cells.

    A part that begins with "@NAME " has that word replaced by its symbol.
    """

    indent: int
    parts: tuple[tuple[str, str], ...] = ()
    hang: int = 0


_UNICODE = {
    "holds": "✓",
    "refuted": "✗",
    "unproved": "?",
    "not_applicable": "–",
    "error": "✗",
    "warning": "!",
    "info": "i",
}
_ASCII = _UNICODE | {"holds": "+", "refuted": "x", "not_applicable": "-", "error": "x"}
#: Below this a terminal is too narrow to wrap for.
_NARROWEST = 30


def symbols(unicode: bool) -> Mapping[str, str]:
    """The symbol of each verdict and severity; `unicode` False: ASCII only."""
    return _UNICODE if unicode else _ASCII


def paint(lines: Iterable[Line], *, width: int | None, color: bool, symbols: Mapping[str, str]) -> str:
    """The lines as text that ends with a line break. rich is imported only to wrap or to colour."""
    drawn = [
        Line(line.indent, tuple((_symbol(t, symbols), s) for t, s in line.parts), line.hang) for line in lines
    ]
    if width is None and not color:
        return "".join(
            f"{' ' * line.indent}{''.join(text for text, _ in line.parts)}".rstrip() + "\n" for line in drawn
        )
    return _rich(drawn, width, color)


def _symbol(text: str, symbols: Mapping[str, str]) -> str:
    if not text.startswith("@"):
        return text
    name, _, rest = text[1:].partition(" ")
    return f"{symbols[name]} {rest}" if name in symbols else text


def _rich(lines: Iterable[Line], width: int | None, color: bool) -> str:
    from rich.console import Console
    from rich.text import Text

    wide = max(width or 10_000, _NARROWEST)
    system = "standard" if color else None
    console = Console(
        file=io.StringIO(), width=wide, force_terminal=color, color_system=system, highlight=False
    )
    for line in lines:
        indent, hang = (
            (line.indent, line.hang) if wide >= 2 * (line.indent + line.hang) else (min(line.indent, 4), 2)
        )
        text = Text.assemble(*line.parts, end="")
        text.rstrip()
        pieces = text.wrap(console, wide - indent - hang) if width is not None and text else [text]
        for number, piece in enumerate(pieces):
            piece.rstrip()
            console.print(Text(" " * (indent + (hang if number else 0))) + piece, soft_wrap=True)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()
