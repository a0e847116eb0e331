"""Rating: what a call costs."""
