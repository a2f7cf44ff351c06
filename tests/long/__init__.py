"""Runs of minutes, which `make` starts and the test command does not."""
