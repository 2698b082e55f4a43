"""Documents whose fields repeat in different rhythms."""


def rows(n, now, seed):
    for i in range(n):
        yield {"_id": i, "group": i % 20, "day": (i * 7919) % 1000, "price": float((i * 31) % 997),
               "kind": "rare" if i % 100 == 0 else "common", "note": "x" * 20}
