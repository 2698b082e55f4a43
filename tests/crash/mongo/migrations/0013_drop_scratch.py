from dbtrust.migrations import drop_collection

steps = [
    drop_collection("scratch"),
]
