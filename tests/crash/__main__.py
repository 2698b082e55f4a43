"""`python -m tests.crash`: the long crash test. Kills runners and servers at random until enough kills were counted.

Every round has a seed; `--seed N --rounds 1 --mode server --engine mongo` runs one again. `--together 20` kills nothing:
it lets so many runners begin at once on one database, five times for each engine.
"""

from __future__ import annotations

import argparse
import math
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count

from tests.crash.lab import Lab
from tests.crash.mongo_lab import MongoLab
from tests.crash.postgres_lab import PostgresLab
from tests.crash.rounds import Mode, Outcome, Reference, Round, histogram, reference
from tests.crash.together import PART, alone, together

from dbtrust.engine.runs import Run

LABS = {"postgres": PostgresLab, "mongo": MongoLab}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--engine", choices=["postgres", "mongo"], action="append")
    parser.add_argument("--kills", type=int, default=200, help="of each engine, at least")
    parser.add_argument("--rounds", type=int, help="so many rounds of each engine, however few kills")
    parser.add_argument(
        "--mode", choices=["runner", "server"], help="kill only that (default: 2 of 3 runners)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no round after so many")
    parser.add_argument("--together", type=int, metavar="N", help="N runners at once, five rounds; no kills")
    parser.add_argument("--workers", type=int, default=2, help="servers at a time")
    return parser.parse_args()


class Campaign:
    """Rounds of one engine on several servers at once, until there are enough kills."""

    def __init__(self, engine: str, asked: argparse.Namespace) -> None:
        self.engine, self.asked = engine, asked
        self.outcomes: list[Outcome] = []
        self.crashed: list[BaseException] = []
        self._seeds = count(asked.seed)
        self._until = time.monotonic() + asked.minutes * 60
        self._mutex = threading.Lock()

    def run(self) -> bool:
        with Run() as run:
            labs: list[Lab] = [LABS[self.engine](run) for _ in range(self.asked.workers)]
            known = reference(labs[0])
            print(f"{self.engine}: up takes {known.up_seconds:.1f} s, down {known.down_seconds:.1f} s")
            threads = [threading.Thread(target=self._work, args=(lab, known)) for lab in labs]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        print("\n".join(self.report()))
        return not self.crashed and not any(outcome.problems for outcome in self.outcomes)

    def _work(self, lab: Lab, known: Reference) -> None:
        try:
            while (seed := self._next()) is not None:
                mode: Mode = self.asked.mode or ("server" if seed % 3 == 0 else "runner")
                outcome = Round(lab, known, seed, [mode]).run()
                self.outcomes.append(outcome)
                print(
                    f"  seed {seed}: {mode}, {len(outcome.kills)} kills; by now {self._inside()} in work",
                    *outcome.problems,
                    sep="\n    ",
                    flush=True,
                )
        except BaseException as error:
            self.crashed.append(error)
            raise

    def _next(self) -> int | None:
        with self._mutex:
            seed = next(self._seeds)
            if self.asked.rounds is not None:
                return seed if seed < self.asked.seed + self.asked.rounds else None
            over = self.crashed or self._inside() >= self.asked.kills or time.monotonic() > self._until
            return None if over else seed

    def _inside(self) -> int:
        return sum(kill.inside for outcome in self.outcomes for kill in outcome.kills)

    def report(self) -> Iterator[str]:
        kills = [kill for outcome in self.outcomes for kill in outcome.kills]
        problems = [problem for outcome in self.outcomes for problem in outcome.problems]
        runner = sum(kill.mode == "runner" for kill in kills)
        yield (
            f"{self.engine}: {len(self.outcomes)} rounds, {len(kills)} kills ({runner} of the runner,"
            f" {len(kills) - runner} of the server; {self._inside()} with work under way),"
            f" {sum(o.missed for o in self.outcomes)} came too late;"
            f" {sum(o.finished for o in self.outcomes)} commands after a kill ended, {len(problems)} problems"
        )
        yield from histogram(kills)
        yield from (f"  PROBLEM {problem}" for problem in problems)


def at_once(engine: str, runners: int, rounds: int) -> bool:
    """Rounds of so many runners at once; each must exit 0, and all together apply each migration once."""
    problems: list[str] = []
    with Run() as run:
        lab = LABS[engine](run)
        expected = alone(lab)
        for turn in range(1, rounds + 1):
            started = time.perf_counter()
            found = list(together(lab, expected, runners, turn))
            took = time.perf_counter() - started
            print(
                f"  {engine}, round {turn}: {runners} runners, {took:.0f} s", *found, sep="\n    ", flush=True
            )
            problems += found
    said = f"{PART} migrations, applied once in each" if not problems else f"{len(problems)} problems"
    print(f"{engine}: {rounds} rounds of {runners} runners at once: {said}")
    return not problems


def main() -> None:
    asked = options()
    engines = asked.engine or ["postgres", "mongo"]
    if asked.together:
        fine = [at_once(engine, asked.together, asked.rounds or 5) for engine in engines]
    else:
        fine = [Campaign(engine, asked).run() for engine in engines]
    sys.exit(0 if all(fine) else 1)


if __name__ == "__main__":
    main()
