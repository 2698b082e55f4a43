from dbtrust.migrations import create_collection, create_index, rename_collection

steps = [
    create_collection("first"),
    create_index("first", [("a", 1)], name="a"),
    rename_collection("first", "second"),
    rename_collection("second", "third"),
]
