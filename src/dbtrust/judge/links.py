"""Do the tags of a project lead anywhere?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from dbtrust.model.location import Location
from dbtrust.model.report import Verdict


class LinkLike(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def location(self) -> Location: ...


class TagLike(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def location(self) -> Location: ...
    @property
    def links(self) -> Iterable[LinkLike]: ...


def resolve(tags: Iterable[TagLike], exists: Callable[[str], bool], specs: str | None) -> list[Verdict]:
    """trace.link for every link of every tag, and for a @CODE or @TEST whose id has no spec (where specs has a folder)."""
    verdicts: list[Verdict] = []
    for tag in tags:
        links = list(tag.links)
        verdicts += [_link(tag, link, exists, specs) for link in links]
        if (
            tag.kind in {"CODE", "TEST"}
            and specs is not None
            and not any(link.kind == "SPEC" for link in links)
        ):
            verdicts.append(_implied(tag, exists, specs))
    return verdicts


def _link(tag: TagLike, link: LinkLike, exists: Callable[[str], bool], specs: str | None) -> Verdict:
    places = (
        [f"{specs.rstrip('/')}/{link.target}", link.target]
        if link.kind == "SPEC" and specs
        else [link.target]
    )
    found = next((place for place in places if exists(place)), None)
    claim = f"{tag.text} {link.kind}: {link.target}"
    return _verdict(link.location, claim, found, places)


def _implied(tag: TagLike, exists: Callable[[str], bool], specs: str) -> Verdict:
    places = [f"{specs.rstrip('/')}/SPEC-{tag.id}.md"]
    return _verdict(tag.location, tag.text, next((p for p in places if exists(p)), None), places)


def _verdict(location: Location, claim: str, found: str | None, places: list[str]) -> Verdict:
    subject = f"file:{location.file}"
    if found is not None:
        return Verdict(
            "trace.link", None, subject, "holds", f"resolves to {found}", claim=claim, location=location
        )
    said = f"there is no {' and no '.join(places)}"
    return Verdict(
        "trace.link",
        None,
        subject,
        "refuted",
        said,
        claim=claim,
        next="write the file or mend the link",
        location=location,
    )
