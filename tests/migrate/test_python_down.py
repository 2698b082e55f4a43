"""Statements added to a function of a Python migration: all that its author wrote stays, and it is Python."""

from __future__ import annotations

import ast

import pytest

from dbtrust.migrate.python_down import operations, with_function

HEADER = "def downgrade() -> None:"
#: label: (the file from the function on, the same with one more call)
SHAPES = {
    "a statement": ("def downgrade():\n    a()\n", "def downgrade():\n    a()\n    NEW\n"),
    "no end": ("def downgrade():\n    a()", "def downgrade():\n    a()\n    NEW\n"),
    "pass": ("def downgrade() -> None:\n    pass\n\n\nx = 1\n", "def downgrade() -> None:\n    NEW\n\n\nx = 1\n"),
    "dots": ("def downgrade(): ...\n", "def downgrade():\n    NEW\n"),
    "one line": ("def downgrade(): a(); b()  # both\n", "def downgrade():\n    a(); b()  # both\n    NEW\n"),
    "a docstring alone": ('def downgrade():\n    """Says."""\n', 'def downgrade():\n    """Says."""\n    NEW\n'),
    "a docstring on its line": ('def downgrade(): "Says."\n', 'def downgrade():\n    "Says."\n    NEW\n'),
    "a docstring and pass": (
        'def downgrade():\n    """Says.\n\n    More.\n    """\n    # why\n    pass  # yet\n',
        'def downgrade():\n    """Says.\n\n    More.\n    """\n    # why\n    NEW\n',
    ),
    "branches": (
        "def downgrade():\n    if x:\n        a()\n    else:\n        with y:\n            b()\n# behind\n",
        "def downgrade():\n    if x:\n        a()\n    else:\n        with y:\n            b()\n    NEW\n# behind\n",
    ),
    "a return": ("def downgrade():\n    a()\n    return\n", "def downgrade():\n    a()\n    NEW\n    return\n"),
    "decorators and hints": (
        "@one\n@two(\n    3\n)\ndef downgrade(\n    engine: str = 'x',\n) -> None:\n\ta()\n",
        "@one\n@two(\n    3\n)\ndef downgrade(\n    engine: str = 'x',\n) -> None:\n\ta()\n\tNEW\n",
    ),
    "a signature that ends beside its body": ("def downgrade(\n    a=1): b()\n", "def downgrade(\n    a=1):\n    b()\n    NEW\n"),
    "a coroutine": ("async def downgrade():\n    await a()\nx = 1\n", "def downgrade() -> None:\n    NEW\nx = 1\n"),
    "two of them": ("def downgrade():\n    a()\ndef downgrade():\n    b()\n", "def downgrade():\n    a()\ndef downgrade():\n    b()\n    NEW\n"),
    "a text of many lines": ('def downgrade():\n    a("""\nx\n""")\n', 'def downgrade():\n    a("""\nx\n""")\n    NEW\n'),
    "a decorated function inside": (
        "def downgrade():\n    @x\n    def inner():\n        pass\n    inner()\n", "def downgrade():\n    @x\n    def inner():\n        pass\n    inner()\n    NEW\n",
    ),
    "letters before it": ("def downgrade(): a('größe')\n", "def downgrade():\n    a('größe')\n    NEW\n"),
    "none": ("x = 1\n\n\n", "x = 1\n\n\ndef downgrade() -> None:\n    NEW\n"),
    "CRLF": ("def downgrade():\r\n    a()\r\n", "def downgrade():\r\n    a()\r\n    NEW\r\n"),
    "CRLF and pass": ("def downgrade():\r\n    pass", "def downgrade():\r\n    NEW\r\n"),
    "a byte order mark": ("\ufeffdef downgrade(): a()\n", "\ufeffdef downgrade():\n    a()\n    NEW\n"),
}  # fmt: skip


@pytest.mark.parametrize("label", SHAPES)
def test_a_statement_is_added(label: str) -> None:
    text, wanted = (t.replace("NEW", "new('b;c')") for t in SHAPES[label])
    made = with_function(text, "downgrade", HEADER, ["new('b;c')"])
    assert made == wanted
    ast.parse(made.removeprefix("\ufeff"))


def test_comments_stand_above_what_is_kept() -> None:
    text = 'def downgrade():\n    """Says."""\n    a()\n'
    made = with_function(text, "downgrade", HEADER, ["b()"], head=["# lossy: column t.a"])
    assert made == 'def downgrade():\n    """Says."""\n    # lossy: column t.a\n    a()\n    b()\n'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('def downgrade():\n    """Says."""\n    a()\n    # lossy: table t\n    b()\nx = 1\n', 'def downgrade():\n    """Says."""\n    # lossy: table t\n    NEW\nx = 1\n'),
        ("def downgrade(): a()\n", "def downgrade():\n    NEW\n"),
        ("def downgrade():\n    @x\n    def inner(): pass\n    return inner()\n", "def downgrade():\n    NEW\n"),
    ],
)  # fmt: skip
def test_what_is_wrong_makes_room(text: str, wanted: str) -> None:
    assert with_function(text, "downgrade", HEADER, ["NEW"], keep=False) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "def downgrade(:\n",
        "def downgrade():\n    a(); return\n",
        "x = 1\ry = 2\n",
        "def downgrade():\n    a()\x00\n",
    ],
)
def test_a_file_without_a_place_gets_none(text: str) -> None:
    assert with_function(text, "downgrade", HEADER, ["NEW"]) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("from alembic import op\n", ("op", "")),
        ("from alembic import context, op as o\n", ("o", "")),
        ("import alembic\n", ("op", "from alembic import op")),
        ("from .alembic import op\n", ("op", "from alembic import op")),
        ("no python(", ("op", "from alembic import op")),
    ],
)
def test_how_a_revision_calls_alembics_operations(text: str, wanted: tuple[str, str]) -> None:
    assert operations(text) == wanted
