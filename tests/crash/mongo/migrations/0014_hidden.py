from dbtrust.migrations import create_index

steps = [
    create_index("reservation", [("account", 1)], name="account", hidden=True),
]
