from dbtrust.migrations import create_index

steps = [
    create_index("account", [("email", 1)], name="email_key", unique=True),
]
