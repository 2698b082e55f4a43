from dbtrust.migrations import step

steps = [
    step(
        "count one",
        apply=lambda db: db.account.update_one(
            {"_id": 1, "one": None}, {"$inc": {"n": 1}, "$set": {"one": True}}
        ),
        revert=lambda db: db.account.update_one(
            {"_id": 1, "one": True}, {"$inc": {"n": -1}, "$unset": {"one": ""}}
        ),
        probe=lambda db: db.account.find_one({"_id": 1, "one": True}) is not None,
    ),
]
