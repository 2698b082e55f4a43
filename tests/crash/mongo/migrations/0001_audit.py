from dbtrust.migrations import create_collection, create_index

steps = [
    create_collection("audit", validator={"$jsonSchema": {"required": ["what"]}}),
    create_index("audit", [("what", 1), ("account", 1)], name="what_account"),
]
