"""Decisions, feedback and used tokens in a database, and what waits for it."""
