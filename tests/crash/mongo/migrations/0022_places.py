from dbtrust.migrations import create_index

steps = [
    create_index("account", [("place", "2dsphere")], name="place"),
]
