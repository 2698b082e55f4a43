from dbtrust.migrations import update_in_batches

steps = [
    update_in_batches(
        "account",
        {"flag": {"$exists": False}},
        {"$inc": {"n": 2}, "$set": {"flag": True}},
        size=100,
        revert=({"flag": True}, {"$inc": {"n": -2}, "$unset": {"flag": ""}}),
    ),
]
