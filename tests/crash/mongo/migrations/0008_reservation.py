from dbtrust.migrations import rename_collection

steps = [
    rename_collection("booking", "reservation"),
]
