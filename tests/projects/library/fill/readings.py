from datetime import timedelta


def rows(n, now, seed):
    for number in range(n):
        yield {
            "_id": number,
            "sensor": f"s{number % 40}",
            "at": now - timedelta(minutes=number),
            "value": number * seed / 3,
        }
