from dbtrust.migrations import update_in_batches

steps = [
    update_in_batches(
        "account",
        {},
        [{"$set": {"n": {"$multiply": ["$n", 2]}}}],
        size=600,
        revert=({}, [{"$set": {"n": {"$toInt": {"$divide": ["$n", 2]}}}}]),
    ),
]
