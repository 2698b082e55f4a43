"""A pasted plan without what a terminal or a tool printed around it. Pure.

psql's heading, rulers, borders and row counts, its + at the end of a line that goes on, box drawing, expanded
output, pgAdmin's and CSV's quotes, Markdown's fences. A line that goes is left blank, so that numbers of lines stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_RULER = re.compile(r"[-=+|:─━═│┃║┼┬┴┌┐└┘├┤╔╗╚╝╠╣╦╩╬╪╞╡┏┓┗┛┣┫╋\s]{3,}")
_DRAWN = re.compile(r"[-=─━═]{2}")
_COUNT = re.compile(r"\s*+\(\d+ [^\W\d]+\)\s*+")
_HEADING = re.compile(r'\s*+[|│┃║]?+\s*+"?+QUERY PLAN"?+\s*+[|│┃║]?+\s*+')
_RECORD = re.compile(r"\s*+[-─═+┌├]*+\[ RECORD \d+ \][-─═+┬┼┐]*+\s*+")
_BAR = "|│┃║"
_GOES_ON = "+↵"


def unframed(text: str) -> list[str]:
    """The lines of the plan, with their indentation, the outermost at column 0."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines = ["" if line.strip().startswith("```") else line for line in lines]
    heading = any(_HEADING.fullmatch(line) for line in lines)
    expanded = any(
        line.lstrip().startswith(("QUERY PLAN |", "QUERY PLAN │", "| QUERY PLAN |")) for line in lines
    )
    if expanded:
        lines = [_expanded(line) for line in lines]
    edges = [
        number for number, line in enumerate(lines) if _HEADING.fullmatch(line) or _COUNT.fullmatch(line)
    ]
    lines = ["" if _is_frame(line) else line for line in lines]
    lines = _without_quotes(_without_bars(lines))
    if heading or expanded or _first(lines).endswith((" +", "+")):
        lines = [_without_mark(line) for line in lines]
    return [line for part in _parts(lines, edges) for line in _dedented(part)]


def _parts(lines: list[str], edges: Sequence[int]) -> Iterator[list[str]]:
    """Each result of several, and what stands between them, alone: only a result has a margin."""
    start = 0
    for edge in (*edges, len(lines)):
        yield lines[start:edge]
        start = edge


def _is_frame(line: str) -> bool:
    if _HEADING.fullmatch(line) or _COUNT.fullmatch(line) or _RECORD.fullmatch(line):
        return True
    return bool(_RULER.fullmatch(line) and _DRAWN.search(line))


def _first(lines: Sequence[str]) -> str:
    return next((line.rstrip() for line in lines if line.strip()), "")


def _expanded(line: str) -> str:
    """QUERY PLAN | Seq Scan on t: the value alone; the name stands before a value's first line only."""
    bare = line.strip()
    if bare[:1] and bare[0] in _BAR and bare[-1] in _BAR:
        bare = bare[1:-1]
    at = next((at for at, character in enumerate(bare) if character in _BAR), -1)
    return bare[at + 1 :].removeprefix(" ") if at >= 0 and bare[:at].strip() in ("", "QUERY PLAN") else line


def _without_bars(lines: list[str]) -> list[str]:
    """The borders go where the lines have them; the first and the last one may be cut off inside."""
    full = [line.strip() for line in lines if line.strip()]
    both = sum(line[0] in _BAR and line[-1] in _BAR and len(line) > 1 for line in full)
    if both and both >= len(full) - 2 and all(line[0] in _BAR or line[-1] in _BAR for line in full):
        lines = [_without_borders(line) if line.strip() else "" for line in lines]
    elif len(full) > 1 and all(line[-1] in _BAR for line in full):
        lines = [line.rstrip()[:-1].rstrip() if line.strip() else "" for line in lines]
    return lines


def _without_borders(line: str) -> str:
    bare = line.strip()
    bare = bare[1:].removeprefix(" ") if bare[0] in _BAR else line
    return bare.rstrip()[:-1].rstrip() if bare.rstrip().endswith(tuple(_BAR)) else bare


_QUOTED = re.compile(r'\s*"((?:[^"]|"")*+)"[,;]?[ \t]*')


def _without_quotes(lines: list[str]) -> list[str]:
    """Each value in quotes, doubled inside: a value may have several lines."""
    if not _first(lines).startswith('"'):
        return lines
    text, at, found = "\n".join(lines).strip(), 0, list[str]()
    while at < len(text):
        match = _QUOTED.match(text, at)
        if match is None or (match.end() < len(text) and text[match.end()] != "\n"):
            return lines
        found.append(match[1].replace('""', '"'))
        at = match.end()
    blank = next(number for number, line in enumerate(lines) if line.strip())
    return [""] * blank + "\n".join(found).split("\n")


def _without_mark(line: str) -> str:
    bare = line.rstrip()
    return bare[:-1].rstrip() if bare.endswith(tuple(_GOES_ON)) else line


def _dedented(lines: list[str]) -> list[str]:
    expanded = [
        line.expandtabs(8) if "\t" in line[: len(line) - len(line.lstrip())] else line for line in lines
    ]
    margin = min((len(line) - len(line.lstrip()) for line in expanded if line.strip()), default=0)
    return [line[margin:] if line.strip() else "" for line in expanded]
