from dbtrust.migrations import set_validator

steps = [
    set_validator("account", {"$jsonSchema": {"required": ["email", "n"]}}),
]
