"""A CDS Hooks service that judges draft and running orders against sheets of clinical knowledge."""

__version__ = "0.1.0"
