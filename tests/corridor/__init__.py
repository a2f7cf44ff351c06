"""Whole requests from bytes to cards."""
