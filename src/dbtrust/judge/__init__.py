"""Decides without I/O: grammar, verdicts over plans, catalog differences, rules."""
