"""The two engines. A module of its own: it is imported by almost everything, and costs nothing."""

from __future__ import annotations

from typing import Literal

Engine = Literal["postgres", "mongo"]
