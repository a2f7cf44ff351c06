"""The service over HTTP, without a network."""
