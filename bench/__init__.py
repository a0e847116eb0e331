"""Measures what the server does, and checks that its answers are right while it does it."""
