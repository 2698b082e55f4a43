"""What a step of a migration sends: the commands as the driver reports them."""

from __future__ import annotations

from typing import Any

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

#: What only asks, and what the driver sends of itself.
_QUIET = frozenset({
    "hello", "ping", "isMaster", "listCollections", "listIndexes", "getMore", "endSessions", "killCursors", "buildInfo",
    "saslStart", "saslContinue", "connectionStatus", "find", "count", "currentOp",
})  # fmt: skip


class SentCommands(CommandListener):
    """The commands since the last `take`, such as "createIndexes products"; those that only ask are left out."""

    def __init__(self) -> None:
        self._sent: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in _QUIET:
            return
        target: Any = event.command.get(event.command_name)
        self._sent.append(f"{event.command_name} {target}" if isinstance(target, str) else event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        del event

    def failed(self, event: CommandFailedEvent) -> None:
        del event

    def take(self) -> list[str]:
        """What was sent, the same command once."""
        sent, self._sent = list(dict.fromkeys(self._sent)), []
        return sent
