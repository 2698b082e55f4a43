from dbtrust.migrations import create_index, update_in_batches

steps = [
    update_in_batches(
        "reservation", {}, {"$inc": {"amount": 1}}, size=1000, revert=({}, {"$inc": {"amount": -1}})
    ),
    create_index("reservation", [("amount", -1)], name="amount"),
]
