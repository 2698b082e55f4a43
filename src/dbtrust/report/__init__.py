"""Shows a report as text, JSON or HTML. Imports the model only."""
