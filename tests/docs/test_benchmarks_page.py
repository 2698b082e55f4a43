"""docs/benchmarks.md is what bench/pages.py makes of bench/results."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def pages() -> Any:
    spec = importlib.util.spec_from_file_location("bench_pages", ROOT / "bench" / "pages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_of_the_results() -> None:
    made = pages()
    kept = sorted(file.stem for file in made.RESULTS.glob("*.json"))
    assert set(kept) <= set(made.BENCHES)
    assert made.PAGE.exists() == bool(kept)
    assert not kept or made.PAGE.read_text(encoding="utf-8") == made.page()


def test_every_bench_is_there_and_says_what_it_measures() -> None:
    made = pages()
    assert all(made._about(name) for name in made.BENCHES)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (line,) = [line for line in makefile.splitlines() if "for b in" in line]
    assert set(line.partition("for b in ")[2].partition(";")[0].split()) == set(made.BENCHES)


def test_tools_stand_beside_one_another() -> None:
    rows = [
        {"case": "traps: seen", "tool": "dbtrust", "median": 13, "unit": "of 13"},
        {"case": "traps: seen", "tool": "other", "median": 1, "unit": "of 13"},
        {"case": "wall time", "tool": "dbtrust", "median": 12.3456, "unit": "s"},
        {"case": "history", "tool": "dbtrust", "median": 1234.5, "unit": "ms"},
    ]
    found = {
        "bench": "prove", "command": "python bench/prove.py", "date": "2026-01-01", "seconds": 10, "load": 0.1, "cpus": 2,
        "versions": {"PostgreSQL": "17.1"}, "rows": rows, "ratios": {"history": {"last / first": 1.2}},
        "notes": ["other sees nothing of: trap: null"],
    }  # fmt: skip
    text = "\n".join(pages().section(found))
    assert "| case | dbtrust | other |\n|---|---:|---:|" in text
    assert "| traps: seen | 13 of 13 | 1 of 13 |" in text
    assert "| wall time | 12.35 s |  |" in text
    assert "| history | 1,234 ms |  |" in text
    assert "| history | last / first | 1.20 |" in text
    assert text.endswith("- other sees nothing of: trap: null\n")
