"""What `--only` leaves of a run: engines and the beginnings of check and rule ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from dbtrust.model.engine import Engine
from dbtrust.model.errors import ConfigError
from dbtrust.model.words import nearest

CHECKS = (
    "schema.applies", "schema.reapplies", "schema.constraint", "schema.trigger", "schema.mutation", "schema.drift",
    "schema.matches_migrations", "query.prepares", "contract.parameters", "contract.columns", "contract.nullability",
    "contract.cardinality", "claim.uses", "claim.index_only", "claim.covered", "claim.no_seq_scan",
    "claim.no_collection_scan", "claim.no_sort", "claim.examines", "claim.cost", "claim.reads", "claim.faster",
    "claim.express", "claim.id_lookup", "claim.baseline", "claim.generic", "proof.refused", "proof.true", "migrate.up",
    "migrate.down", "migrate.up_again", "migrate.verify", "migrate.populated", "migrate.drifted", "migrate.written",
    "tests.pass", "trace.link",
)  # fmt: skip
ENGINES: tuple[Engine, ...] = ("postgres", "mongo")
_RULES = (
    "index.redundant",
    "foreign_key.no_index",
    "constraint.pipe_in_class",
    "claim.drawn",
    "claim.no_rows",
    "claim.row_security",
    "query.claim_like",
    "query.unbound",
    "migration.edited",
    "migration.removed",
    "migration.changed_server",
    "migration.left_behind",
)


@cache
def all_rules() -> tuple[str, ...]:
    """The ids of rules that `check` judges; those of monitor among them are a hundred modules, read only when asked for."""
    from dbtrust.monitor.registry import rules

    return (*_RULES, *(rule.id for engine in ENGINES for rule in rules(engine) if rule.in_check))


@dataclass(frozen=True, slots=True)
class Selection:
    """No engines or no ids: all of them. An engine and an id together mean both at once."""

    engines: frozenset[str] = frozenset()
    ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, only: Iterable[str]) -> Selection:
        """Raises ConfigError for a word that begins no id."""
        words = list(only)
        engines = frozenset(word for word in words if word in ENGINES)
        ids = tuple(word for word in words if word not in ENGINES)
        known = (*CHECKS, *all_rules()) if ids else ()
        for word in ids:
            if not word or not any(name.startswith(word) for name in known):
                close = nearest(word, [*ENGINES, *known, *{name.split(".")[0] for name in known}])
                step = (
                    f"did you mean {close}?"
                    if close
                    else f"name an engine or the beginning of one of {', '.join(known)}"
                )
                raise ConfigError(f"--only {word}: nothing is called that", next=step)
        return cls(engines, ids)

    def engine(self, engine: Engine) -> bool:
        """Is anything of this engine wanted?"""
        return not self.engines or engine in self.engines

    def wants(self, *ids: str) -> bool:
        """Is one of these checks or rules wanted? A prefix such as "claim." stands for all below it."""
        return not self.ids or any(i.startswith(word) or word.startswith(i) for i in ids for word in self.ids)

    def names(self, id: str) -> bool:
        """Does a word of `--only` stand for this check and for no other? Some checks run only then."""
        others = [check for check in CHECKS if check != id]
        return any(id.startswith(word) and not any(o.startswith(word) for o in others) for word in self.ids)

    def keeps(self, id: str, engine: Engine | None) -> bool:
        """Does a verdict or finding stay in the report?"""
        return (not self.engines or engine in self.engines) and (
            not self.ids or any(id.startswith(i) for i in self.ids)
        )
