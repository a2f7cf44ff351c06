"""Proves how records are read."""
