"""Where the pages for people join the application: rules, evidence and governance always, the sandbox in development mode."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flask import Flask

from cds_service.cards import Style
from cds_service.decide import Decision, decide
from cds_service.knowledge import Knowledge
from cds_service.settings import DEVELOPMENT_CLIENT
from cds_service.store.statistics import Happened
from cds_service.web import fhir_server, governance, pages, sandbox, site
from cds_service.web.parts import Parts
from cds_service.web.rule_pages import Example
from cds_service.web.stories import Shelf, Story


def no_examples(_: Knowledge) -> Sequence[Example]:
    """Without the clinical cases the pages do without worked cases."""
    return ()


def nothing_happened(since: float, until: float) -> Happened:
    """Without a store nothing has happened yet."""
    return Happened(since, until, (), (), (), 0)


@dataclass(frozen=True)
class ForPeople:
    """What only the pages need: worked cases, what happened between two moments, and the patients of the sandbox."""

    examples: Callable[[Knowledge], Sequence[Example]] = no_examples
    between: Callable[[float, float], Happened] = nothing_happened
    stories: Sequence[Story] = field(default=())


ONLY_RULES = ForPeople()


def add_pages(app: Flask, parts: Parts, people: ForPeople) -> None:
    """Register what is for people and not for clients."""
    settings, knowledge = parts.settings, parts.knowledge
    site.furnish(app, knowledge, settings.development)
    pages.register(app, knowledge, lambda: people.examples(knowledge))
    board = governance.Governance(knowledge, people.between, parts.now, settings.governance, open_to_all=settings.development)
    governance.register(app, board)
    if settings.development:
        shelf = Shelf(people.stories, parts.now)
        fhir_server.register(app, fhir_server.FhirServer(shelf))
        sandbox.register(app, sandbox.Sandbox(knowledge, shelf, _asker(parts)))


def _asker(parts: Parts) -> sandbox.Ask:
    """Takes a request through the corridor as the development client would, without keeping anything."""

    def ask(service_id: str, body: bytes) -> Decision:
        style = Style(parts.new_id, public_url=parts.settings.server.public_url)
        return decide(parts.knowledge, service_id, body, fetch=parts.fetch_for(DEVELOPMENT_CLIENT), now=parts.now(), style=style)

    return ask
