"""The single exit: everything that is printed or written leaves through here, without passwords."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TextIO

from dbtrust.cli.options import Shared
from dbtrust.model.errors import ConfigError
from dbtrust.model.report import Problem, Report
from dbtrust.report.document import visible
from dbtrust.report.redact import redact
from dbtrust.source.text import replace_parts


def show(report: Report, shared: Shared) -> None:
    """Prints the report, or writes it to --output; its errors also go to stderr. Raises ConfigError."""
    if shared.output is not None:
        write_file(shared.output, render(report, shared, errors=True))
    else:
        write_out(render(report, shared, errors=False))
    complain(*report.sorted_errors())


def render(report: Report, shared: Shared, *, errors: bool) -> str:
    """The report in the format that was asked for; a terminal gets its width and colours."""
    if shared.format == "json":
        from dbtrust.report.json import render_json

        return render_json(report)
    if shared.format == "html":
        from dbtrust.report.html import render_html

        return render_html(report)
    from dbtrust.report.text import render_text

    return render_text(
        report, **screen(shared.output)._asdict(), quiet=shared.quiet, verbose=shared.verbose, errors=errors
    )


class Screen(NamedTuple):
    """What a text may look like: `width` in cells (None: never wrapped), ANSI colours, more than ASCII."""

    width: int | None
    color: bool
    unicode: bool


def screen(output: Path | None) -> Screen:
    """That of --output or of stdout; a terminal gets its width and colours."""
    stream = None if output is not None else sys.stdout
    terminal = is_terminal(stream)
    return Screen(
        width=os.get_terminal_size(stream.fileno()).columns if stream and terminal else None,
        color=terminal and has_colors(),
        unicode=stream is None or _speaks_unicode(stream),
    )


def deliver(text: str, shared: Shared) -> None:
    """Prints a document without passwords, or writes it to --output. Raises ConfigError."""
    deliver_parts((text,), shared)


def deliver_parts(parts: Iterable[str], shared: Shared) -> None:
    """`deliver` of a document that is made while it is written; no part ends inside a word. Raises ConfigError."""
    clean = (redact(part) for part in parts)
    if shared.output is not None:
        write_parts(shared.output, clean)
    else:
        for part in clean:
            write_out(part)


def is_terminal(stream: TextIO | None) -> bool:
    """Is this a person's screen?"""
    return stream is not None and _is_open(stream) and stream.isatty()


def has_colors() -> bool:
    """NO_COLOR with any text turns colours off (no-color.org), and so does a dumb terminal."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in ("", "dumb")


def _speaks_unicode(stream: TextIO) -> bool:
    try:
        "✓✗–".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def say(text: str) -> None:
    """One line on stdout."""
    write_out(redact(visible(text)) + "\n")


def note(text: str, *, lines: bool = False) -> None:
    """One line on stderr; `lines`: the text's own line breaks stay."""
    if _is_open(sys.stderr):
        shown = "\n".join(visible(line) for line in text.splitlines()) if lines else visible(text)
        _write(sys.stderr, redact(shown) + "\n")


def complain(*problems: Problem) -> None:
    """Each error as one line on stderr: file:line:column: error: message (the next step)."""
    for problem in problems:
        where = f"{problem.location}: " if problem.location.file else ""
        step = f" ({problem.next})" if problem.next else ""
        note(f"{where}error: {problem.message}{step}")


def write_out(text: str) -> None:
    """Text on stdout. A reader that went away is no error; a full disk is a ConfigError."""
    if _is_open(sys.stdout):
        _write(sys.stdout, text)


def _is_open(stream: TextIO | None) -> bool:
    """False where the caller closed the descriptor: Python then has None for the stream."""
    return stream is not None and not stream.closed


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        _discard(stream)
    except OSError as error:
        _discard(stream)
        if stream is sys.stdout:
            raise ConfigError(
                f"cannot write to stdout: {error.strerror}", next="make room or use --output"
            ) from error


def _discard(stream: TextIO) -> None:
    """Sends what is still in the buffer, and all that follows, to nowhere, so that Python's exit is quiet."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def check_output(path: Path | None) -> None:
    """Raises ConfigError where `write_file` could not write; asked before the run. Leaves nothing behind."""
    if path is None or _is_special(path):
        return
    if path.is_dir():
        raise ConfigError(
            f"--output {path} is a folder", next=f"write to a file in it, such as {path / 'report.json'}"
        )
    try:
        if path.exists():
            with path.open("r+b"):
                pass
        with tempfile.TemporaryFile(dir=_home(path)):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


def write_file(path: Path, text: str) -> None:
    """Replaces the file as a whole: a reader sees the old or the new text. Raises ConfigError."""
    write_parts(path, (text,))


def write_parts(path: Path, parts: Iterable[str]) -> None:
    """`write_file` of a text that is made while it is written. Raises ConfigError."""
    try:
        if _is_special(path):
            with path.open("w", encoding="utf-8") as file:
                file.writelines(parts)
        else:
            replace_parts(path.resolve(), parts)
    except OSError as error:
        raise _unwritable(path, error) from error


def _is_special(path: Path) -> bool:
    """A device or a pipe, such as /dev/stdout: written to, never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _home(path: Path) -> Path:
    return path.resolve().parent


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"cannot write --output {path}: {error.strerror}", next="name a file that can be written"
    )
