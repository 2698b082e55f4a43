from dbtrust.migrations import create_index

steps = [
    create_index("reservation", [("account", 1), ("at", -1)], name="account_at"),
    create_index("reservation", [("amount", 1), ("account", 1)], name="amount_account"),
]
