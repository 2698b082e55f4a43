"""What is said beside the verdicts of plan claims: where a plan stands for less than it seems to.

claim.no_rows: a claim that holds over empty relations holds for a plan that nobody will see with rows.
claim.row_security: the role that judges is not bound by policies that bind the application's role.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dbtrust.claims.verdicts import Case, Failure
from dbtrust.judge.grammar import Claim
from dbtrust.judge.nodes import accesses, on, readers
from dbtrust.model.location import Location
from dbtrust.model.plan import Engine, Node, Plan
from dbtrust.model.report import Finding, Verdict

Relation = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A query or method with its claims and the cases that they were judged over."""

    engine: Engine
    subject: str
    location: Location
    claims: Sequence[Claim]
    cases: Sequence[Case]


def no_rows_findings(
    judged: Sequence[Judgement], verdicts: Sequence[Verdict], empty: Mapping[Relation, bool], generated: Collection[str]
) -> list[Finding]:  # fmt: skip
    """One claim.no_rows for each query with a claim that holds though all that it reads is empty.

    `empty`: (schema, name), on MongoDB ("", name) -> is it a materialized view, which has no generator of its own?
    `generated`: the names that [data.NAME] has.
    """
    holding = {(v.subject, v.location) for v in verdicts if v.verdict == "holds"}
    found: list[Finding] = []
    for item in judged:
        claims = [claim for claim in item.claims if (item.subject, claim.location) in holding]
        reads = {claim.text: _only_empty(item, claim, empty) for claim in claims}
        relations = sorted({relation for own in reads.values() for relation in own})
        if relations:
            found.append(_no_rows(item, relations, [text for text in reads if reads[text]], empty, generated))
    return found


def relations_of(judged: Sequence[Judgement]) -> set[str]:
    """The names of all that the plans read."""
    plans = (plan for item in judged for case in item.cases for plan in _plans(case))
    return {node.relation for plan in plans for node in _reading(plan) if node.relation}


def _only_empty(item: Judgement, claim: Claim, empty: Mapping[Relation, bool]) -> set[Relation]:
    """The relations that a case's plans read for this claim, if none of them has a row; else nothing."""
    for case in item.cases:
        nodes = [node for plan in _plans(case) for node in _reading(plan) if on(node, claim.relation)]
        if nodes and all(_top(node) in empty for node in nodes):
            return {_top(node) for node in nodes}
    return set()


def _reading(plan: Plan) -> list[Node]:
    return readers(plan) if plan.engine == "mongo" else accesses(plan, None)


def _plans(case: Case) -> Iterator[Plan]:
    for sample in case.samples[:1]:
        yield from () if isinstance(sample, Failure) else sample


def _top(node: Node) -> Relation:
    """A partition without rows is one of many: what counts is the table that it is a part of."""
    if node.root_relation:
        return node.root_schema or "", node.root_relation
    return node.schema or "", node.relation or ""


def _no_rows(
    item: Judgement, relations: Sequence[Relation], claims: Sequence[str], empty: Mapping[Relation, bool],
    generated: Collection[str],
) -> Finding:  # fmt: skip
    names = [_shown(relation) for relation in relations]
    bare = [_shown(r) for r in relations if not empty[r] and not _generated(r, generated)]
    have = "has" if len(names) == 1 else "have"
    why = f", and nothing makes rows of {' and '.join(bare)}" if bare else ""
    fix = (
        f"add [data.{bare[0]}], with as many rows as matter"
        if bare
        else "let the generators make rows for it"
    )
    return Finding(
        "claim.no_rows", "warning", item.engine, item.subject,
        f"{' and '.join(names)} {have} no rows{why}: claims that hold over nothing say nothing of real data",
        fix=fix, location=item.location, evidence={"relations": names, "claims": list(claims)},
    )  # fmt: skip


def _generated(relation: Relation, generated: Collection[str]) -> bool:
    return _shown(relation) in generated or ".".join(relation) in generated


def row_security_findings(judged: Sequence[Judgement], unbound: Collection[Relation]) -> list[Finding]:
    """One claim.row_security for each query with claims whose plan is free of policies that bind others.

    `unbound`: (schema, name) of the relations whose policies do not bind the role that judges.
    """
    found: list[Finding] = []
    for item in judged:
        nodes = [node for case in item.cases for plan in _plans(case) for node in plan.nodes]
        relations = sorted({own for node in nodes for own in _own(node) if own in unbound})
        if item.claims and relations:
            found.append(_row_security(item, [_shown(relation) for relation in relations]))
    return found


def _own(node: Node) -> list[Relation]:
    own = [(node.schema, node.relation), (node.root_schema, node.root_relation), *node.ancestors]
    return [(schema or "", name) for schema, name in own if name]


def _row_security(item: Judgement, names: Sequence[str]) -> Finding:
    listed = " and ".join(names)
    message = f"row level security of {listed} does not bind the role that judged: with the policies the plan may be another"
    fix = f"FORCE ROW LEVEL SECURITY on {listed}, or run `dbtrust claims --postgres URL` as the application's role"
    return Finding(
        "claim.row_security", "warning", item.engine, item.subject, message, fix=fix, location=item.location,
        evidence={"relations": list(names)},
    )  # fmt: skip


def _shown(relation: Relation) -> str:
    schema, name = relation
    return name if schema in ("", "public") else f"{schema}.{name}"
