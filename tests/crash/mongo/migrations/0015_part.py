from dbtrust.migrations import update_in_batches

steps = [
    update_in_batches(
        "reservation",
        {"account": {"$lt": 2000}},
        {"$inc": {"amount": 7}},
        size=200,
        revert=({"account": {"$lt": 2000}}, {"$inc": {"amount": -7}}),
    ),
]
