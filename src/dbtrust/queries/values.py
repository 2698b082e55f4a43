"""What is sent for a Python value: psycopg's own adaptation, and a form for what it has none for."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import Any

from psycopg.types.json import Jsonb

Sender = Callable[[Any], Any]


class _Senders(dict[type, "Sender | None"]):
    """Type -> how to send it; None is psycopg's own way. Filled as types are met."""

    def __missing__(self, kind: type) -> Sender | None:
        sender: Sender | None = None
        if issubclass(kind, dict):
            sender = Jsonb
        elif issubclass(kind, list):
            sender = _list
        elif issubclass(kind, enum.Enum) and not issubclass(kind, str | int):
            sender = _enum
        elif _is_model(kind):
            sender = _model
        self[kind] = sender
        return sender


_SENDERS = _Senders()


def send(value: Any) -> Any:
    """A dict and a pydantic model go as jsonb, an Enum as its value, the elements of a list likewise."""
    sender = _SENDERS[type(value)]
    return value if sender is None else sender(value)


def send_all(values: Iterable[Any]) -> list[Any]:
    """The values of one execution."""
    senders = _SENDERS
    return [value if (sender := senders[type(value)]) is None else sender(value) for value in values]


def _is_model(kind: Any) -> bool:
    return hasattr(kind, "model_fields") and hasattr(kind, "model_dump")


def _list(value: list[Any]) -> list[Any]:
    return [send(item) for item in value]


def _enum(value: enum.Enum) -> Any:
    return send(value.value)


def _model(value: Any) -> Jsonb:
    return Jsonb(value.model_dump(mode="json"))
