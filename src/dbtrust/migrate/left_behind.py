"""What a proof leaves on a server of the user's, or finds there from a run that was killed: told, never guessed at."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager

from dbtrust.engine.postgres.restore import Touched
from dbtrust.engine.postgres.scratch import Scratch
from dbtrust.engine.postgres.server_wide import State
from dbtrust.judge.statements import quoted
from dbtrust.model.report import Finding

RULE = "migration.left_behind"
CHANGED = "migration.changed_server"


@contextmanager
def left_behind(scratch: Scratch, findings: list[Finding]) -> Generator[None]:
    """Adds what a killed run had left, and behind the block what came into being and is still there."""
    guest = scratch.guest
    if guest is None:
        yield
        return
    findings += [_swept(name) for name in scratch.swept]
    findings += [_stays("of a run that was killed", said) for said in scratch.not_swept]
    before = guest.look()
    yield
    findings += _new(before, guest.look(), guest.left)
    findings += [_stays("of this run", said) for said in guest.left]
    findings += [_changed(one) for one in dict.fromkeys(guest.touched)]


def _new(before: State, after: State, told: Iterable[str]) -> list[Finding]:
    """Objects that no footprint has: somebody else made them, or a program's statement that names none."""
    made = [f for key, f in after.items() if f.is_object and key not in before]
    names = sorted(
        (f.kind, f.name) for f in made if not any(s.startswith(f"{f.kind} {f.name}:") for s in told)
    )
    return [
        Finding(
            RULE, "warning", "postgres", f"{kind}:{name}",
            f"{kind} {name} came into being on the server during this run and is still there: "
            "dbtrust cannot tell that a migration made it, so it stays",
            fix=f"drop it if a migration made it: DROP {kind.upper()} {quoted(name)}; then prove on an embedded server",
        )
        for kind, name in names
    ]  # fmt: skip


def _changed(one: Touched) -> Finding:
    """An error where the script names it; else somebody else may have done it meanwhile."""
    said = f"{one}, during a script that commits by itself or a program"
    done = f"it stays so: {one.stays}" if one.stays else "it was put back"
    return Finding(
        CHANGED, "error" if one.sure else "warning", "postgres", f"{one.kind}:{one.name}", f"{said}; {done}",
        fix="put it back by hand" if one.stays else "prove it on dbtrust's own servers (without --postgres)",
        evidence={"old": one.old, "new": one.new},
    )  # fmt: skip


def _swept(name: str) -> Finding:
    kind, _, rest = name.partition(" ")
    message = f"{name}: a migration had made it in a run that was killed, and it has been taken back now"
    return Finding(RULE, "info", "postgres", f"{kind}:{rest}", message)


def _stays(whose: str, said: str) -> Finding:
    name, _, why = said.partition(": ")
    kind, _, rest = name.partition(" ")
    return Finding(
        RULE, "warning", "postgres", f"{kind}:{rest}", f"{name} {whose} could not be taken back: {why}",
        fix="take it back by hand",
    )  # fmt: skip
