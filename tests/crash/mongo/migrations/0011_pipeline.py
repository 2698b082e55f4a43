from dbtrust.migrations import update_in_batches

steps = [
    update_in_batches(
        "account",
        {},
        [{"$set": {"n": {"$add": ["$n", 5]}}}],
        size=500,
        revert=({}, [{"$set": {"n": {"$subtract": ["$n", 5]}}}]),
    ),
]
