"""Under which name a field of a model is stored, and which names it is loaded from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo

from dbtrust.model.errors import ContractError


def document_name(model: type[BaseModel], name: str, info: FieldInfo, *, strict: bool = True) -> str:
    """The field's key in a document. Raises ContractError, if `strict`, where loading does not read that key."""
    stored = info.serialization_alias or info.alias or name
    read = set(_loaded_from(model, name, info))
    if strict and stored not in read:
        raise ContractError(
            f"{model.__name__}.{name} is stored as {stored} and loaded from {' or '.join(sorted(read)) or 'nowhere'}",
            next="give it one alias, or AliasChoices that hold the stored name",
        )
    return stored


def _loaded_from(model: type[BaseModel], name: str, info: FieldInfo) -> Iterator[str]:
    config: dict[str, Any] = dict(model.model_config)
    alias = info.validation_alias if info.validation_alias is not None else info.alias
    if alias is not None and config.get("validate_by_alias") is not False:
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        for choice in choices:
            if isinstance(choice, AliasPath):
                yield from map(str, choice.path[:1] if len(choice.path) == 1 else ())
            else:
                yield choice
    if alias is None or config.get("populate_by_name") or config.get("validate_by_name"):
        yield name
