from dbtrust.migrations import set_validator

steps = [
    set_validator("audit", None),
]
