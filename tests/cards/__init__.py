"""Tests of the cards and of what they offer."""
