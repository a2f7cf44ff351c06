"""Shadow mode: everything is judged and recorded, and nobody is interrupted."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cds_service.cli.history import Straight
from cds_service.knowledge import Knowledge
from cds_service.settings import DEVELOPMENT_CLIENT, Client, Settings
from cds_service.store.archive import Archive
from cds_service.store.engine import open_engine
from cds_service.store.statistics import Statistics
from cds_service.web import create_app
from cds_service.web.stories import Story

from .conftest import NOW
from .test_sandbox import request_of


class Newcomer:
    """A client whose calls are judged in the shadow."""

    def client(self, _authorization: str | None, _paths: Iterable[str]) -> Client:
        """The client."""
        return replace(DEVELOPMENT_CLIENT, name="newcomer", shadow=True)


def test_a_client_in_shadow_gets_no_card_and_leaves_a_record(knowledge: Knowledge, stories: list[Story], tmp_path: Path) -> None:
    """The prescriber sees nothing; what the rules would have said is kept, and no card counts as shown."""
    engine = open_engine(f"sqlite:///{tmp_path / 'store.db'}")
    app = create_app(
        Settings(development=True),
        knowledge,
        store=Straight(Archive(engine)),
        trust=Newcomer(),
        fetch_for=lambda _client: None,
        secret=b"a secret of the tests, 32 letters",
        now=lambda: NOW,
    )
    story = next(one for one in stories if one.first).at(NOW)
    client = app.test_client()
    service, body = request_of(client, story, "order-sign")
    assert client.post(f"/cds-services/{service}", json=body).get_json() == {"cards": []}
    happened = Statistics(engine).between(0, NOW.timestamp())
    assert happened.answers[0].verdicts["ndmAztreonamUnprotected"] == "spoke"
    assert happened.cards == ()
