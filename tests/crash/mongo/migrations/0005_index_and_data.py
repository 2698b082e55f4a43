from dbtrust.migrations import create_index, update_in_batches

steps = [
    create_index("account", [("region", 1)], name="region"),
    update_in_batches(
        "account", {"region": 3}, {"$inc": {"n": 3}}, size=50, revert=({"region": 3}, {"$inc": {"n": -3}})
    ),
    create_index("account", [("region", 1), ("n", -1)], name="region_n"),
]
