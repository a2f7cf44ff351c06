"""Which resource a reference means, and whose it is."""

from collections.abc import Iterable

from msgspec import Raw, Struct

from cds_service.fhir.origins import host_of
from cds_service.fhir.resources import Reference, read

ELSEWHERE = ("https://", "http://", "//")
CROOKED = {".", ".."}


def bare(reference: str | None) -> str:
    """ "Type/id" of a relative, absolute or versioned reference; an URN without its prefix; "" for none.

    A path that a server may read as another one (dots, or a semicolon as in "..;") is given back whole and meets nothing.
    """
    if not reference:
        return ""
    if reference.startswith("urn:"):
        return reference.rsplit(":", 1)[-1]
    path = reference.partition("/_history/")[0].rstrip("/").split("/")
    return reference if ";" in reference or not CROOKED.isdisjoint(path) else "/".join(path[-2:])


class Home(Struct, frozen=True):
    """The host on which the patient's record lives; without one ("") every absolute reference is read as one into the record.

    Scheme, port and path are not compared: servers behind a proxy write their own address in more than one way.
    """

    host: str = ""

    @classmethod
    def at(cls, base: str | None) -> "Home":
        """The home of a record whose FHIR server has this base address."""
        return cls(_host(base or ""))

    def bare(self, reference: str | None) -> str:
        """ "Type/id" as above; a reference to another server stays whole, since what has the same id here is something else."""
        if self.host and reference and reference.lower().startswith(ELSEWHERE) and _host(reference) != self.host:
            return reference
        return bare(reference)


ANYWHERE = Home()


def _host(url: str) -> str:
    return host_of(url).lower().rstrip(".")


def bare_all(references: Iterable[Reference] | None) -> list[str]:
    """ "Type/id" of every reference that has one."""
    return [name for one in references or () if (name := bare(one.reference))]


class Subjects:
    """Whose a resource is: the context patient's with every linked record's, or somebody else's.

    The host of a reference is not looked at: these resources came when this patient's were asked for, and servers behind a proxy write
    their own address in more than one way.
    """

    def __init__(self, patient_id: str) -> None:
        self._known = {patient_id}
        self._verdicts: dict[bytes, bool | None] = {b"": True}

    def link(self, patient_id: str) -> None:
        self._known.add(patient_id)
        self._verdicts = {b"": True}

    def named(self, patient_id: str | None) -> bool:
        """Whether this is the id of the context patient, or of a record that is linked to it."""
        return patient_id in self._known

    def own(self, subject: Raw) -> bool | None:
        """A subject that is missing, contained or only described is accepted: it came in this patient's prefetch.

        None for what is no reference at all: such a resource is broken, and nobody can say whose it is.
        """
        key = bytes(subject)
        if key not in self._verdicts:
            self._verdicts[key] = self._judge(key)
        return self._verdicts[key]

    def _judge(self, raw: bytes) -> bool | None:
        found = read(raw, Reference)
        if found is None:
            return True if raw == b"null" else None
        if not found.reference or found.reference.startswith("#"):
            return True
        kind, _, name = bare(found.reference).rpartition("/")
        return kind in {"", "Patient"} and name in self._known
