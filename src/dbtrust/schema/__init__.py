"""Declared schemas and proofs about them."""
