"""Claims about query plans, judged on real plans."""
