"""Which tokens have been used: one row for each issuer and `jti`, shared by all workers that use the store."""

from collections.abc import Callable

from sqlalchemy import Column, Double, Engine, Index, MetaData, Table, Text, delete, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateIndex, CreateTable

from cds_service.turns import aside

metadata = MetaData()
used_tokens = Table(
    "used_tokens",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("jti", Text, primary_key=True),
    Column("expires", Double, nullable=False),
)
used_tokens_expires = Index("used_tokens_expires", used_tokens.c.expires)


class UsedTokens:
    """Remembers each token until it can no longer be valid; the database decides who came first.

    `prepare` lays the tables out where that has not been done; it is called each time and has to be quick once it was.
    """

    def __init__(self, engine: Engine, prepare: Callable[[], None] | None = None) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._prepare = prepare

    def create(self) -> None:
        """Lay out the table where it is not there yet."""
        with self._engine.connect() as connection:
            connection.execute(CreateTable(used_tokens, if_not_exists=True))
            connection.execute(CreateIndex(used_tokens_expires, if_not_exists=True))

    @aside
    def first_use(self, issuer: str, jti: str, expires: float) -> bool:
        """Insert or fail: True for exactly one of all callers with this issuer and jti; a database error is raised."""
        if self._prepare:
            self._prepare()
        row = {"issuer": issuer, "jti": jti, "expires": expires}
        try:
            with self._engine.connect() as connection:
                connection.execute(insert(used_tokens).values(row))
        except IntegrityError:
            return False
        return True

    @aside
    def forget(self, before: float) -> int:
        """Drop the tokens that expired before this moment; gives their number."""
        with self._engine.connect() as connection:
            return connection.execute(delete(used_tokens).where(used_tokens.c.expires < before)).rowcount
