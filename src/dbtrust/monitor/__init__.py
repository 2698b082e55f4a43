"""What is slow and why, now: snapshots of a server, and the diagnostics that read them."""
