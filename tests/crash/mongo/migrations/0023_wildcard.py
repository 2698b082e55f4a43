from dbtrust.migrations import create_index

steps = [
    create_index("account_copy", [("$**", 1)], name="everything"),
]
