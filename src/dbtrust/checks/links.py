"""trace.link: every tag of the project resolves to a file."""

from __future__ import annotations

from dbtrust.judge.links import resolve
from dbtrust.model.project import Config
from dbtrust.model.report import Verdict
from dbtrust.source.tags import find_tags, resolver


def judge_links(config: Config) -> list[Verdict]:
    """One verdict a link; a project without tags gives none."""
    return resolve(find_tags(config.root, specs=config.specs), resolver(config.root), config.specs)
