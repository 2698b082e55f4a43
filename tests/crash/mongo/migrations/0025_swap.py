from dbtrust.migrations import create_index, drop_index, update_in_batches

steps = [
    create_index("account", [("tags", 1)], name="tags"),
    update_in_batches(
        "account",
        {"region": {"$gt": 8}},
        {"$inc": {"n": 11}},
        size=300,
        revert=({"region": {"$gt": 8}}, {"$inc": {"n": -11}}),
    ),
    drop_index("account", "region_n"),
    update_in_batches("account_copy", {}, {"$inc": {"n": 1}}, size=700, revert=({}, {"$inc": {"n": -1}})),
]
