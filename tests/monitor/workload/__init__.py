"""Known faults, made one at a time on a healthy server under load, and what `monitor diagnose` puts first."""
