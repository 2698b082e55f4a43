from dbtrust.migrations import update_in_batches

steps = [
    update_in_batches(
        "account", {"n": {"$mod": [4, 0]}}, {"$inc": {"n": 1}}, size=400, revert={"$inc": {"n": -1}}
    ),
]
