from dbtrust.migrations import update_in_batches

steps = [
    update_in_batches(
        "account", {}, {"$push": {"tags": "again"}}, size=800, revert=({}, {"$pop": {"tags": 1}})
    ),
]
