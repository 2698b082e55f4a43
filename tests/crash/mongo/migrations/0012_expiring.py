from dbtrust.migrations import create_index

steps = [
    create_index("reservation", [("at", 1)], name="expiring", expireAfterSeconds=400000000),
    create_index("reservation", [("note", "text")], name="words"),
]
