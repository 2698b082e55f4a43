from dbtrust.migrations import step

PIPELINE = [{"$group": {"_id": "$account", "amount": {"$sum": "$amount"}}}]

steps = [
    step(
        "view of the totals",
        apply=lambda db: db.create_collection("totals", viewOn="reservation", pipeline=PIPELINE),
        revert=lambda db: db.totals.drop(),
        probe=lambda db: "totals" in db.list_collection_names(),
    ),
]
