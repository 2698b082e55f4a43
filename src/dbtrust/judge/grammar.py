"""The claim grammar (docs/claims.md): one line of text to one Claim, or an error at the word that is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from dbtrust.model.engine import Engine
from dbtrust.model.errors import QueryFileError
from dbtrust.model.location import Location
from dbtrust.model.words import nearest

Kind = Literal[
    "uses", "index_only", "covered", "no_seq_scan", "no_collection_scan", "no_sort", "examines", "cost", "reads",
    "faster", "express", "id_lookup", "refused", "true",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Name:
    """[schema.]name as written; `schema` is None where it was left out (always on MongoDB)."""

    name: str
    schema: str | None = None

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True)
class Claim:
    """A parsed claim. `check` is the id of its first phrase, `text` its words with blanks collapsed."""

    kind: Kind
    check: str
    text: str
    location: Location
    index: Name | None = None
    relation: Name | None = None
    constraint: Name | None = None
    index_only: bool = False
    covered: bool = False
    number: float | None = None
    unit: str = ""
    code: str = ""
    path: str = ""
    at: tuple[int, Name] | None = None


class ClaimSyntaxError(QueryFileError):
    """The text is no claim; `location` is the word, `next` the nearest right one."""


_TOKEN = re.compile(r'"(?:[^"]|"")*"(?:\."(?:[^"]|"")*"|\.[^\s",]+)?|[^\s"]+(?:"(?:[^"]|"")*")?|"')
_OPENINGS: dict[str, tuple[str, frozenset[str]]] = {
    "uses": ("uses", frozenset({"postgres", "mongo"})),
    "index only": ("index_only", frozenset({"postgres"})),
    "covered": ("covered", frozenset({"mongo"})),
    "express": ("express", frozenset({"mongo"})),
    "id lookup": ("id_lookup", frozenset({"mongo"})),
    "no seq scan": ("no_seq_scan", frozenset({"postgres"})),
    "no collection scan": ("no_collection_scan", frozenset({"mongo"})),
    "no sort": ("no_sort", frozenset({"postgres", "mongo"})),
    "examines at most": ("examines", frozenset({"postgres", "mongo"})),
    "cost at most": ("cost", frozenset({"postgres"})),
    "reads at most": ("reads", frozenset({"postgres"})),
    "at least": ("faster", frozenset({"postgres", "mongo"})),
    "refused": ("refused", frozenset({"postgres", "mongo"})),
    "true": ("true", frozenset({"postgres", "mongo"})),
}
_OUTCOMES = ("refused", "true")
_COUNT = re.compile(r"\d[\d_]*\Z")
_NUMBER = re.compile(r"\d[\d_]*(\.\d[\d_]*)?\Z")
_UNITS = {"postgres": ("rows",), "mongo": ("keys", "documents")}


def parse_claim(text: str, engine: Engine, location: Location, *, proof: bool = False) -> Claim:
    """Parses one claim. Keywords in any case, names exact. Raises ClaimSyntaxError."""
    return _Parser(text, engine, location, proof).parse()


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int

    @property
    def key(self) -> str:
        return self.text.lower()


class _Parser:
    """Recursive descent over the words of one line."""

    def __init__(self, text: str, engine: Engine, location: Location, proof: bool) -> None:
        self._text, self._engine, self._location, self._proof = text, engine, location, proof
        self._words = [_Word(m.group(), m.start()) for m in _TOKEN.finditer(text)]
        self._at = 0

    def parse(self) -> Claim:
        opening, kind = self._opening()
        prefix = "proof" if kind in _OUTCOMES else "claim"
        claim = Claim(kind, f"{prefix}.{kind}", " ".join(w.text for w in self._words), self._location)  # pyright: ignore[reportArgumentType]
        claim = getattr(self, f"_{opening.split()[0]}_{kind}", self._bare)(claim)
        if self._is("at") and kind not in _OUTCOMES:
            claim = self._scale(claim)
        if self._at < len(self._words):
            raise self._wrong(self._following(claim))
        return claim

    def _opening(self) -> tuple[str, Kind]:
        for phrase in sorted(_OPENINGS, key=len, reverse=True):
            words = phrase.split()
            if [w.key for w in self._words[: len(words)]] == words:
                kind, engines = _OPENINGS[phrase]
                if self._engine not in engines:
                    raise self._error(f"{phrase!r} is a claim of the other engine", self._nearest(phrase), 0)
                if (kind in _OUTCOMES) != self._proof:
                    where = (
                        "a proof claims refused or true" if self._proof else f"{phrase!r} belongs to a proof"
                    )
                    raise self._error(where, self._nearest(phrase), 0)
                self._at = len(words)
                return phrase, kind  # pyright: ignore[reportReturnType]
        raise self._unknown_opening()

    def _allowed(self) -> list[str]:
        return [p for p, (k, e) in _OPENINGS.items() if self._engine in e and (k in _OUTCOMES) == self._proof]

    def _nearest(self, phrase: str) -> str:
        return f"did you mean {nearest(phrase, self._allowed()) or self._allowed()[0]!r}?"

    def _unknown_opening(self) -> ClaimSyntaxError:
        """Points at the first word that no claim goes on with."""
        allowed = [p.split() for p in self._allowed()]
        for count, word in enumerate(self._words):
            going = [
                p for p in allowed if p[:count] == [w.key for w in self._words[:count]] and len(p) > count
            ]
            if going and not any(p[count] == word.key for p in going):
                if count == 0:
                    said = " ".join(w.text for w in self._words[:3])
                    close = nearest(word.key, [p[0] for p in allowed]) or nearest(
                        said, [" ".join(p) for p in allowed]
                    )
                    full = next(
                        (" ".join(p) for p in allowed if close and " ".join(p).startswith(close)), close
                    )
                    step = (
                        f"did you mean {full!r}?"
                        if full
                        else f"a claim begins with {', '.join(self._allowed())}"
                    )
                    return self._error(f"unknown word {word.text!r}", step, 0)
                close = nearest(word.key, [p[count] for p in going]) or going[0][count]
                return self._error(f"unknown word {word.text!r}", f"did you mean {close!r}?", count)
        return self._error(
            "the claim is not finished", f"a claim is one of {', '.join(self._allowed())}", len(self._words)
        )

    # scan

    def _uses_uses(self, claim: Claim) -> Claim:
        claim = replace(claim, index=self._name("an index"))
        claim = self._on(claim)
        if self._is("index") or self._is("covered"):
            claim = self._manner(claim)
        return claim

    def _manner(self, claim: Claim) -> Claim:
        covered = self._is("covered")
        if covered != (self._engine == "mongo"):
            other = "covered" if self._engine == "mongo" else "index only"
            raise self._wrong([other])
        self._take()
        if covered:
            return replace(claim, covered=True)
        self._expect("only")
        return replace(claim, index_only=True)

    def _index_index_only(self, claim: Claim) -> Claim:
        return self._on(replace(claim, index_only=True))

    def _covered_covered(self, claim: Claim) -> Claim:
        return self._on(replace(claim, covered=True))

    def _bare(self, claim: Claim) -> Claim:
        return claim

    # none

    def _no_no_seq_scan(self, claim: Claim) -> Claim:
        return self._on(claim)

    # bound

    def _examines_examines(self, claim: Claim) -> Claim:
        claim = replace(claim, number=self._number())
        word = self._peek(" or ".join(_UNITS[self._engine]))
        if word.key not in _UNITS[self._engine]:
            raise self._wrong(_UNITS[self._engine])
        self._take()
        self._expect("per")
        self._expect("result")
        return self._on(replace(claim, unit=word.key))

    def _cost_cost(self, claim: Claim) -> Claim:
        return replace(claim, number=self._number())

    def _reads_reads(self, claim: Claim) -> Claim:
        claim = replace(claim, number=float(self._count()))
        self._expect("blocks")
        return claim

    # speed

    def _at_faster(self, claim: Claim) -> Claim:
        word = self._peek("a factor such as 10x")
        if not (word.key.endswith("x") and _NUMBER.match(word.key[:-1])):
            raise self._error(
                f"{word.text!r} is no factor", "write it without a blank, such as 10x", self._at
            )
        if not float(word.key[:-1].replace("_", "")):
            raise self._error("everything is 0x faster", "write a factor above 0, such as 10x", self._at)
        self._take()
        for expected in ("faster", "than", "without"):
            self._expect(expected)
        return replace(claim, number=float(word.key[:-1].replace("_", "")), index=self._name("an index"))

    # outcome

    def _refused_refused(self, claim: Claim) -> Claim:
        word = self._peek("an SQLSTATE" if self._engine == "postgres" else "a MongoDB code")
        shape = r"[0-9A-Z]{5}" if self._engine == "postgres" else r"\d{1,7}"
        if not re.fullmatch(shape, word.text):
            example = "23514" if self._engine == "postgres" else "121"
            raise self._error(f"{word.text!r} is no error code", f"write a code such as {example}", self._at)
        self._take()
        claim = replace(claim, code=word.text)
        if self._is("by"):
            self._take()
            claim = replace(claim, constraint=self._name("a constraint"))
        if self._is("on"):
            self._take()
            claim = replace(claim, path=self._peek("a column or path").text)
            self._take()
        return claim

    # parts

    def _scale(self, claim: Claim) -> Claim:
        self._take()
        place, count = self._at, self._count()
        if not count:
            raise self._error("nothing can be said at 0 rows", "write a count above 0", place)
        self._expect("rows")
        self._expect("in")
        return replace(claim, at=(count, self._name("a relation")))

    def _on(self, claim: Claim) -> Claim:
        if not self._is("on"):
            return claim
        self._take()
        return replace(claim, relation=self._name("a relation"))

    def _name(self, what: str) -> Name:
        word = self._peek(what)
        pattern = (
            r'(?:"(?:[^"]|"")+"|[\w$]+)' if self._engine == "postgres" else r'(?:"(?:[^"]|"")+"|[\w$.\-]+)'
        )
        full = rf"(?:({pattern})\.)?({pattern})" if self._engine == "postgres" else rf"()({pattern})"
        match = re.fullmatch(full, word.text)
        if match is None:
            raise self._error(
                f"{word.text!r} is no name", f"name {what}; write unusual names in double quotes", self._at
            )
        self._take()
        return Name(_unquote(match[2]), _unquote(match[1]) if match[1] else None)

    def _count(self) -> int:
        word = self._peek("a count")
        if not _COUNT.match(word.text):
            raise self._error(
                f"{word.text!r} is no count", "write digits, such as 300 or 1_000_000", self._at
            )
        self._take()
        return int(word.text.replace("_", ""))

    def _number(self) -> float:
        word = self._peek("a number")
        if not _NUMBER.match(word.text):
            raise self._error(f"{word.text!r} is no number", "write digits, such as 10 or 1.5", self._at)
        self._take()
        return float(word.text.replace("_", ""))

    def _is(self, key: str) -> bool:
        return self._at < len(self._words) and self._words[self._at].key == key

    def _peek(self, what: str) -> _Word:
        if self._at >= len(self._words):
            raise self._error(f"the claim ends where {what} should stand", f"add {what}", self._at)
        return self._words[self._at]

    def _take(self) -> None:
        self._at += 1

    def _expect(self, key: str) -> None:
        if self._peek(repr(key)).key != key:
            raise self._wrong([key])
        self._take()

    def _following(self, claim: Claim) -> list[str]:
        manner = "covered" if self._engine == "mongo" else "index only"
        ways = {"uses": ["on", manner, "at"], "refused": ["by", "on"], "true": []}
        return ways.get(claim.kind, ["on", "at"])

    def _wrong(self, expected: list[str] | tuple[str, ...]) -> ClaimSyntaxError:
        word = self._words[self._at]
        close = nearest(word.key, expected) or (expected[0] if expected else None)
        # "on" is a word of other claims: a near miss that is the word itself helps nobody.
        step = f"did you mean {close!r}?" if close and close != word.key else "end the claim here"
        return self._error(f"unknown word {word.text!r}", step, self._at)

    def _error(self, message: str, step: str, word: int) -> ClaimSyntaxError:
        start = self._words[word].start if word < len(self._words) else len(self._text)
        place = self._location
        if place.column is not None:
            place = Location(place.file, place.line, place.column + start)
        return ClaimSyntaxError(f"claim {self._text!r}: {message}", location=place, next=step)


def _unquote(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text
