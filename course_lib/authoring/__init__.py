"""Lessons from their sources: building and running them."""
