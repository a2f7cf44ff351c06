"""The command line: serve, check, decide, explain, replay, catalog, report, bench, demo, config, jwt."""

from cds_service.cli.main import main

__all__ = ["main"]
