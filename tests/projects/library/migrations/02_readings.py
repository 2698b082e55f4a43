from dbtrust.migrations import create_collection, create_index, set_validator

steps = [
    create_collection("readings"),
    set_validator(
        "readings",
        {
            "bsonType": "object",
            "required": ["sensor", "at", "value"],
            "properties": {
                "_id": {"bsonType": ["int", "long", "null"]},
                "sensor": {"bsonType": "string", "minLength": 1},
                "at": {"bsonType": "date"},
                "value": {"bsonType": "number"},
            },
        },
    ),
    create_index("readings", [("sensor", 1), ("at", -1)], name="by-sensor"),
]
