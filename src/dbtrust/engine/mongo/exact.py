"""update_in_batches with a ledger: every document is changed once, whatever dies in between.

Where the server has transactions, a batch, the position behind it and the ids that its undo needs are one
transaction. A single server without a replica set has none: then the last batch may be run twice, which is no
matter for updates like $set and the reason why others are "at least once" there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import bson
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from dbtrust.engine.mongo.ledger import Ledger, ids_document, step_document, step_key, used_ids
from dbtrust.model.ledger import StepEntry
from dbtrust.model.progress import Progress
from dbtrust.model.steps import Update, UpdateInBatches

Document = Mapping[str, Any]
#: The ids of a batch together, in bytes: a command and a document of the ledger hold 16 MB.
_BYTES = 4_000_000
#: Twice is as once, also when other fields changed in between.
_IDEMPOTENT = frozenset({
    "$set", "$unset", "$min", "$max", "$addToSet", "$pull", "$pullAll", "$setOnInsert", "$currentDate",
})  # fmt: skip


def has_transactions(db: Database[Any]) -> bool:
    """Only members of a replica set and mongos have them."""
    hello = db.client.admin.command("hello")
    return "setName" in hello or hello.get("msg") == "isdbgrid"


def repeatable(update: Update) -> bool:
    """Is running the update twice the same as once? A pipeline may compute from what it wrote."""
    return isinstance(update, Mapping) and set(update) <= _IDEMPOTENT


def bare_revert(step: UpdateInBatches) -> bool:
    """Is the inverse an update of exactly the changed documents, so that their ids are kept?"""
    return step.revert is not None and not callable(step.revert) and not isinstance(step.revert, tuple)


class Batches:
    """Runs updates for one migration; `key` is the migration's in the ledger."""

    def __init__(self, db: Database[Any], ledger: Ledger, key: str, progress: Progress) -> None:
        self._db, self._ledger, self._key, self._progress = db, ledger, key, progress
        self.atomic = has_transactions(db)

    def forward(self, step: UpdateInBatches, row: StepEntry) -> StepEntry:
        """Goes on behind the position of `row`; the row behind the last batch, which is in the ledger."""
        return self._walk(step, row, step.filter, step.update, "", records=bare_revert(step))

    def backward(self, step: UpdateInBatches, row: StepEntry) -> StepEntry:
        """Undoes with an update of the recorded ids, or a pair (filter, update); not with a callable."""
        if isinstance(step.revert, tuple):
            filter, update = cast("tuple[Document, Update]", step.revert)
            return self._walk(step, row, filter, update, "back_", records=False)
        key = step_key(self._key, row.step)
        for piece, ids in self._ledger.ids(key):
            change = self._change(step, cast("Update", step.revert))
            self._once(
                lambda session, ids=ids, change=change: change({"_id": {"$in": ids}}, session),
                [used_ids(piece)],
            )
            self._progress(f"undoing {step.describe()}")
        return row

    def _walk(
        self,
        step: UpdateInBatches,
        row: StepEntry,
        filter: Document,
        update: Update,
        prefix: str,
        *,
        records: bool,
    ) -> StepEntry:
        for ids in self._batches(step, filter, row.stored, prefix):
            row = self._batch(step, row, filter, update, ids, prefix, records=records)
            self._progress(f"{step.describe()}: {row.stored[f'{prefix}documents']:,} documents")
        return row

    def _batches(
        self, step: UpdateInBatches, filter: Document, stored: Document, prefix: str
    ) -> Iterator[list[Any]]:
        """Ids that match, in the order of _id, behind the stored position."""
        found = self._db[step.collection].find(filter, {"_id": 1}).sort("_id", 1).batch_size(step.size)
        cursor = f"{prefix}cursor"
        if cursor in stored:
            # $gt would stay within the BSON type of the position; a bound on the index does not.
            found = found.hint([("_id", 1)]).min([("_id", stored[cursor])])
        batch: list[Any] = []
        size = 0
        for document in found:
            if cursor in stored and document["_id"] == stored[cursor]:
                continue
            batch.append(document["_id"])
            size += len(bson.encode(document))
            if len(batch) == step.size or size > _BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _batch(
        self, step: UpdateInBatches, row: StepEntry, filter: Document, update: Update, ids: list[Any], prefix: str,
        *, records: bool,
    ) -> StepEntry:  # fmt: skip
        change, key = self._change(step, update), step_key(self._key, row.step)
        among: dict[str, Any] = {"$and": [dict(filter), {"_id": {"$in": ids}}]}
        after: list[StepEntry] = []

        def work(session: ClientSession | None) -> Sequence[dict[str, Any]]:
            piece = row.stored.get("pieces", 0) + 1
            pieces: list[dict[str, Any]] = []
            if records:
                pieces = [ids_document(key, piece, self._exact(step, among, session, key, piece))]
                if session is None:  # first what will change, then the change
                    self._ledger.write(*pieces)
            count = change(among, session)
            moved = {
                f"{prefix}cursor": ids[-1],
                f"{prefix}documents": row.stored.get(f"{prefix}documents", 0) + count,
            }
            if records:
                moved["pieces"] = piece
            after[:] = [replace(row, stored={**row.stored, **moved})]
            return [step_document(self._key, after[0]), *pieces]

        self._transact(work)
        return after[0]

    def _exact(
        self, step: UpdateInBatches, among: Document, session: ClientSession | None, key: str, piece: int
    ) -> list[Any]:
        """The ids that match in the transaction's own view; without one, those that a crashed try wrote down as well."""
        found = [d["_id"] for d in self._db[step.collection].find(among, {"_id": 1}, session=session)]
        earlier = dict(self._ledger.ids(key)).get(f"{key}/{piece:08d}", []) if session is None else []
        return [*earlier, *(_id for _id in found if _id not in earlier)]

    def _change(
        self, step: UpdateInBatches, update: Update
    ) -> Callable[[Document, ClientSession | None], int]:
        collection = self._db[step.collection]
        return lambda among, session: (
            collection.update_many(among, cast("Any", update), session=session).matched_count
        )

    def _once(
        self, change: Callable[[ClientSession | None], object], documents: Sequence[dict[str, Any]]
    ) -> None:
        def work(session: ClientSession | None) -> Sequence[dict[str, Any]]:
            change(session)
            return documents

        self._transact(work)

    def _transact(self, work: Callable[[ClientSession | None], Sequence[dict[str, Any]]]) -> None:
        """Runs `work`, then writes the documents that it returns; together where the server can."""
        if not self.atomic:
            self._ledger.write(*work(None))
            return

        def body(session: ClientSession) -> None:
            documents = work(session)
            self._ledger.write_in(session, *documents)

        with self._db.client.start_session() as session:
            session.with_transaction(
                body, read_concern=ReadConcern("snapshot"), write_concern=WriteConcern(w="majority")
            )
