from dbtrust.migrations import set_validator

steps = [
    set_validator("reservation", {"$jsonSchema": {"required": ["account"]}}, level="moderate", action="warn"),
]
