"""The words of the specification: requests, prefetch, discovery."""
