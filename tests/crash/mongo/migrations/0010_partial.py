from dbtrust.migrations import create_index

steps = [
    create_index("account", [("n", 1)], name="n_of_five", partialFilterExpression={"region": {"$lt": 5}}),
]
