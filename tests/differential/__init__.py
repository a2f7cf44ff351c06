"""The corridor held against a slow and obvious reader of the same request."""
