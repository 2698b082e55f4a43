from dbtrust.migrations import create_collection, create_index, drop_collection

steps = [
    create_collection("passing", validator={"a": {"$exists": True}}),
    create_index("passing", [("a", 1)], name="a"),
    drop_collection("passing"),
]
