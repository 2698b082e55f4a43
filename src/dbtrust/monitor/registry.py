"""The diagnostics of an engine: every module of monitor/rules/<engine>/ has one, named RULE."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from dbtrust.model.errors import ConfigError
from dbtrust.model.plan import Engine
from dbtrust.model.words import nearest
from dbtrust.monitor.rule import Rule

ENGINES: tuple[Engine, ...] = ("postgres", "mongo")


@cache
def rules(engine: Engine) -> tuple[Rule, ...]:
    """Sorted by id. Two rules of one id are a bug of dbtrust (ValueError)."""
    package = import_module(f"dbtrust.monitor.rules.{engine}")
    names = [m.name for m in iter_modules(package.__path__) if not m.name.startswith("_")]
    found: list[Rule] = [import_module(f"{package.__name__}.{name}").RULE for name in names]
    ids = [rule.id for rule in found]
    if twice := {id for id in ids if ids.count(id) > 1}:
        raise ValueError(f"two rules of {engine} are called {', '.join(sorted(twice))}")
    return tuple(sorted(found, key=lambda rule: rule.id))


def chosen(only: Iterable[str]) -> dict[Engine, tuple[Rule, ...]]:
    """The rules that `--only` leaves, for each engine it leaves. Raises ConfigError for a word that begins no id."""
    words = list(only)
    engines: list[Engine] = [e for e in ENGINES if e in words] or list(ENGINES)
    prefixes = [word for word in words if word not in ENGINES]
    known = sorted({rule.id for engine in ENGINES for rule in rules(engine)})
    for word in prefixes:
        if not word or not any(id.startswith(word) for id in known):
            raise _unknown(word, known)
    return {e: tuple(r for r in rules(e) if _kept(r.id, prefixes)) for e in engines}


def _kept(id: str, prefixes: list[str]) -> bool:
    return not prefixes or any(id.startswith(prefix) for prefix in prefixes)


def _unknown(word: str, known: list[str]) -> ConfigError:
    close = nearest(word, [*ENGINES, *known, *{id.split(".")[0] for id in known}])
    step = (
        f"did you mean {close}?" if close else f"name an engine or the beginning of one of {', '.join(known)}"
    )
    return ConfigError(f"--only {word}: nothing is called that", next=step)
