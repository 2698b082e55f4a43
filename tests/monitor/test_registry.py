"""Every rule of every engine has a page, a test that makes its fault, and one that must stay silent."""

from __future__ import annotations

import re
from pathlib import Path
from pkgutil import iter_modules

import pytest

from dbtrust.model.errors import ConfigError
from dbtrust.monitor.registry import ENGINES, chosen, rules
from dbtrust.report.json import schema

_ROOT = Path(__file__).parents[2]
_MODULES = [
    (engine, module.name)
    for engine in ENGINES
    for module in iter_modules([str(_ROOT / "src/dbtrust/monitor/rules" / engine)])
    if not module.name.startswith("_")
]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_rule_has_a_page(engine: str) -> None:
    pattern = schema()["$defs"]["finding"]["properties"]["rule"]["pattern"]
    for rule in rules(engine):  # pyright: ignore[reportArgumentType]
        text = (_ROOT / "docs/rules" / f"{rule.id}.md").read_text(encoding="utf-8")
        assert re.search(pattern, rule.id) and rule.engine == engine and rule.needs
        for heading in ("What it means", "When it is wrong", "What to do"):
            assert f"## {heading}\n" in text, rule.id


def test_every_page_has_a_rule() -> None:
    known = {rule.id for engine in ENGINES for rule in rules(engine)}
    assert {path.stem for path in (_ROOT / "docs/rules").glob("*.md")} == known


@pytest.mark.parametrize(("engine", "module"), _MODULES)
def test_every_rule_has_a_test_of_its_fault_and_one_that_it_is_silent(engine: str, module: str) -> None:
    text = (_ROOT / "tests/monitor/rules" / engine / f"test_{module}.py").read_text(encoding="utf-8")
    assert "def test_finds_" in text and "def test_is_silent_" in text


def test_there_are_at_least_thirty_for_postgresql() -> None:
    assert len(rules("postgres")) >= 30


def test_only_takes_engines_and_beginnings_of_ids() -> None:
    assert {rule.id for rule in chosen(["postgres", "index.un"])["postgres"]} == {"index.unused"}
    assert list(chosen(["postgres"])) == ["postgres"]
    with pytest.raises(ConfigError, match=r"--only indx") as error:
        chosen(["indx.unused"])
    assert error.value.next == "did you mean index.unused?"
