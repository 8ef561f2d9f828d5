"""Runs code that nobody trusts, and brings back what its functions returned."""
