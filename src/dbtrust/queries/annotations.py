"""What stands behind an annotation's names and qualifiers. Nothing but the standard library."""

from __future__ import annotations

import typing
from typing import Any

_QUALIFIERS = (typing.Annotated, typing.Required, typing.NotRequired, typing.Final, typing.ClassVar)


def resolved(annotation: Any) -> Any:
    """Behind NewType, a type alias, a bound type variable; Annotated keeps what it says."""
    while True:
        if isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif isinstance(annotation, typing.TypeVar):
            annotation = annotation.__bound__ if annotation.__bound__ is not None else Any
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation


def bare(annotation: Any) -> Any:
    """Also without Annotated, Required and the like."""
    annotation = resolved(annotation)
    while typing.get_origin(annotation) in _QUALIFIERS:
        annotation = resolved(typing.get_args(annotation)[0])
    return annotation
