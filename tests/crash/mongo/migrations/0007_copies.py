from dbtrust.migrations import create_collection, create_index, step

steps = [
    create_collection("account_copy"),
    step(
        "copy the accounts",
        apply=lambda db: db.account.aggregate([{"$out": "account_copy"}]),
        revert=lambda db: db.account_copy.delete_many({}),
        probe=lambda db: db.account_copy.find_one() is not None,
    ),
    create_index("account_copy", [("email", 1)], name="email_key", unique=True),
]
