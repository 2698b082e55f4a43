from datetime import timedelta


def rows(n, now, seed):
    for number in range(n):
        yield {
            "id": number,
            "book_id": 1 + number * seed % 20000,
            "member": f"m{number % 300}",
            "due": (now + timedelta(days=number % 60 - 30)).date(),
            "returned": number % 50 != 0,
        }
