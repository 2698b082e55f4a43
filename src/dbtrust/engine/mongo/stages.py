"""The stages that dbtrust knows: what is not here makes a plan unknown, and its claims unproved.

Names of the find layer are from MongoDB's `stage_types.cpp` (6.0 to 8.0); pipeline stages from the manual's
list of aggregation stages, with what the optimiser puts in their place.
"""

from __future__ import annotations

#: Stages that read a collection or one of its indexes: they carry the collection as `relation`.
ACCESS = frozenset({
    "COLLSCAN", "IXSCAN", "IDHACK", "FETCH", "COUNT_SCAN", "DISTINCT_SCAN", "CLUSTERED_IXSCAN",
    "RECORD_STORE_FAST_COUNT", "TEXT_OR", "GEO_NEAR_2D", "GEO_NEAR_2DSPHERE", "COLUMN_SCAN",
    "SAMPLE_FROM_TIMESERIES_BUCKET", "MULTI_ITERATOR", "EXPRESS_IXSCAN", "EXPRESS_CLUSTERED_IXSCAN",
})  # fmt: skip
#: Random cursors: totalDocsExamined stays 0 whatever they read (seen on 6.0).
UNCOUNTED = frozenset({"MULTI_ITERATOR", "SAMPLE_FROM_TIMESERIES_BUCKET"})
#: Stages that write to it.
WRITES = frozenset({
    "UPDATE", "UPSERT", "DELETE", "BATCHED_DELETE", "TS_MODIFY", "EXPRESS_UPDATE", "EXPRESS_DELETE",
})  # fmt: skip
_OTHERS = frozenset({
    "AND_HASH", "AND_SORTED", "CACHED_PLAN", "COUNT", "ENSURE_SORTED", "EOF", "EQ_LOOKUP",
    "EQ_LOOKUP_UNWIND", "GROUP", "LIMIT", "MATCH", "MULTI_PLAN", "OR", "PROJECTION_COVERED",
    "PROJECTION_DEFAULT", "PROJECTION_SIMPLE", "QUEUED_DATA", "REPLACE_ROOT", "RETURN_KEY",
    "SHARDING_FILTER", "SHARD_MERGE", "SHARD_MERGE_SORT", "SINGLE_SHARD", "SHARD_WRITE", "SKIP", "SORT",
    "SORT_KEY_GENERATOR", "SORT_MERGE", "SPOOL", "SUBPLAN", "TEXT_MATCH", "TRIAL", "UNPACK_BUCKET",
    "UNPACK_TS_BUCKET", "UNWIND", "VIRTUAL_SCAN", "WINDOW",
})  # fmt: skip
FIND_LAYER = ACCESS | WRITES | _OTHERS

#: Pipeline stages that work on what the stage before gives, or (the $lookup family) tell their own totals.
PIPELINE = frozenset({
    "$addFields", "$bucket", "$bucketAuto", "$count", "$cursor", "$densify", "$documents", "$facet",
    "$fill", "$group", "$limit", "$lookup", "$match", "$merge", "$mergeCursors", "$out", "$project",
    "$queue", "$redact", "$replaceRoot", "$replaceWith", "$sample", "$set", "$setWindowFields", "$skip",
    "$sort", "$sortByCount", "$unionWith", "$unset", "$unwind", "$geoNearCursor", "$sampleFromRandomCursor",
    "$indexStats", "$collStats", "$planCacheStats", "$internalFacetTeeConsumer", "$teeConsumer",
    "$_internalSetWindowFields", "$_internalUnpackBucket", "$_internalInhibitOptimization",
    "$_internalBoundedSort", "$_internalStreamingGroup", "$_internalConvertBucketIndexStats",
})  # fmt: skip
#: The stages that a command may end with and that only write: explain runs what is before them.
OUTPUT = frozenset({"$out", "$merge"})

#: What is shown of a stage: conditions, order, work done.
DETAIL = (
    "keyPattern", "indexBounds", "filter", "direction", "isMultiKey", "isPartial", "isSparse", "isUnique",
    "sortPattern", "limitAmount", "skipAmount", "transformBy", "parsedTextQuery", "strategy", "localField",
    "foreignField", "asField", "nCounted", "nMatched", "nWouldModify", "nWouldUpsert", "nWouldDelete",
    "memLimit", "totalDataSizeSorted", "totalDataSizeSortedBytesEstimate", "maxAccumulatorMemoryUsageBytes",
    "maxUsedMemoryBytes", "usedDisk", "spills", "isCached", "isFixedRange", "shardName", "collectionScans",
    "indexesUsed", "costEstimate", "cardinalityEstimate",
)  # fmt: skip
