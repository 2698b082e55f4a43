from dbtrust.migrations import update_in_batches

steps = [
    update_in_batches("account", {}, {"$inc": {"n": 1}}, size=1000, revert=({}, {"$inc": {"n": -1}})),
]
