from dbtrust.migrations import create_index

steps = [
    create_index(
        "account_copy", [("email", 1), ("n", 1)], name="mail_n", collation={"locale": "de", "strength": 2}
    ),
]
