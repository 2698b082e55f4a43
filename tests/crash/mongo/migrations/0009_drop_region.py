from dbtrust.migrations import drop_index

steps = [
    drop_index("account", "region"),
]
