"""Where the pages for people join the application: rules and evidence always, the sandbox and its FHIR server in development mode."""

from flask import Flask

from cds_service.web import pages, site
from cds_service.web.parts import Parts


def add_pages(app: Flask, parts: Parts) -> None:
    """Register what is for people and not for clients."""
    site.furnish(app, parts.knowledge, parts.settings.development)
    pages.register(app, parts.knowledge)
