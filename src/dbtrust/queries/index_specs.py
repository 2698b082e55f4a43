"""Do a declared index and the one that the server lists say the same?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

#: What listIndexes adds to a specification on its own, or no longer reads.
_SERVER_SIDE = frozenset({"v", "ns", "background", "textIndexVersion", "2dsphereIndexVersion"})
#: Options whose false is the same as their absence.
_FLAGS = frozenset({"unique", "sparse", "hidden", "prepareUnique"})
_TEXT_DEFAULTS = {"default_language": "english", "language_override": "language"}
_COLLATION_DEFAULTS = {"strength": 3, "caseLevel": False, "numericOrdering": False}
#: Defaults of these depend on the locale (fr_CA: backwards, da: caseFirst), so only declared ones are compared.
_BY_LOCALE = frozenset({"caseFirst", "alternate", "maxVariable", "normalization", "backwards"})
_NAMELESS = "name"


def differences(declared: Mapping[str, Any], live: Mapping[str, Any]) -> list[str]:
    """What differs, such as "unique is absent, declared True"; nothing for indexes that are the same."""
    wanted, found = _comparable(declared), _comparable(live)
    if "collation" in wanted and "collation" in found:
        unsaid = _BY_LOCALE - set(wanted["collation"])
        found["collation"] = {k: v for k, v in found["collation"].items() if k not in unsaid}
    return list(_told(wanted, found))


def _told(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted({*wanted, *found} - {_NAMELESS}):
        if wanted.get(key) != found.get(key):
            live, declared = (repr(d[key]) if key in d else "absent" for d in (found, wanted))
            yield f"{key} is {live}, declared {declared}"


def _comparable(index: Mapping[str, Any]) -> dict[str, Any]:
    """A specification without what the server adds; a text index's keys come from its weights."""
    spec = {k: v for k, v in index.items() if k not in _SERVER_SIDE and not (k in _FLAGS and not v)}
    keys: list[tuple[str, Any]] = list(dict(spec.pop("key")).items())
    if any(direction == "text" for _, direction in keys):
        named = {name: 1 for name, direction in keys if direction == "text" and name != "_fts"}
        spec["weights"] = dict(sorted({**named, **spec.get("weights", {})}.items()))
        spec = {**_TEXT_DEFAULTS, **spec}
        keys = [(n, d) for n, d in keys if d != "text" and n != "_ftsx"]
    if spec.get("collation") is not None:
        collation = {**cast("dict[str, Any]", spec["collation"])}
        collation.pop("version", None)
        spec["collation"] = {**_COLLATION_DEFAULTS, **collation}
    spec["key"] = [(name, float(d) if isinstance(d, int | float) else d) for name, d in keys]
    return spec
