"""Row level security: does it bind anybody, and does it hide or refuse a row?"""

from __future__ import annotations

from dbtrust.engine.postgres.attempts import (
    IMMEDIATE,
    as_role,
    bypasses_row_security,
    count,
    force_row_security,
    observe,
)
from dbtrust.engine.postgres.errors import Failure
from dbtrust.model.constraints import RowSecurity
from dbtrust.schema.breaking import Bench, Shown, text_of
from dbtrust.stage.ground import said

_REFUSED = "42501"


def judge_row_security(bench: Bench, security: RowSecurity) -> tuple[Shown, str]:
    """What was shown, and the next step."""
    policies = (
        f"policies {', '.join(security.policies)}" if security.policies else "no policy: every row is refused"
    )
    if not security.forced and not security.others:
        message = "row security is not forced, and no role but the owner, whom it does not bind, has a right on the table"
        return Shown(
            "refuted", message
        ), "ALTER TABLE … FORCE ROW LEVEL SECURITY, or GRANT to the application's own role"
    if bench.ground.values is None:
        return Shown("unproved", f"no row was found that the table accepts: {bench.ground.why}"), _PROOF
    for role in ["", *security.others] if security.forced else security.others:
        shown = _tried(bench, security, role)
        if shown is not None:
            return Shown("holds", f"{shown.message} ({policies})", shown.evidence), ""
    if security.forced and bypasses_row_security(bench.rows.connection):
        return Shown("unproved", f"the role of this connection bypasses row security ({policies})"), _PROOF
    return Shown("unproved", f"no row was seen that it hides or refuses ({policies})"), _PROOF


_PROOF = "write a proof: set the role and the settings that the policy reads, and claim what is seen"


def _tried(bench: Bench, security: RowSecurity, role: str) -> Shown | None:
    """The valid row seen and written by a role ("" is the owner), with row security as it stands."""
    relation, connection = bench.relation, bench.rows.connection
    if not role and bypasses_row_security(connection):
        return None
    force = [force_row_security(relation.schema, relation.name, on=True)] if security.forced else []
    switch = [as_role(role)] if role and role != "PUBLIC" else []
    if role == "PUBLIC":
        return None
    row = bench.ground.recipe[-1]
    asked = [row, IMMEDIATE, *force, *switch, count(relation.schema, relation.name, {})]
    who = role or "the owner"
    evidence = {"accepted without it": text_of([row])}
    seen = observe(connection, asked)
    if not isinstance(seen, Failure) and seen[-1] == [(0,)]:
        return Shown("holds", f"a row that is there is hidden from {who}", evidence)
    written = observe(connection, [*force, *switch, row, IMMEDIATE])
    if (
        isinstance(written, Failure)
        and written.sqlstate == _REFUSED
        and "row-level security" in written.message
    ):
        return Shown("holds", f"a row is refused to {who}: {said(written)}", evidence)
    return None
