"""Which resource a reference means, and whose it is."""

from collections.abc import Iterable

from msgspec import Raw

from cds_service.fhir.resources import Reference, read


def bare(reference: str | None) -> str:
    """ "Type/id" of a relative, absolute or versioned reference; an URN without its prefix; "" for none."""
    if not reference:
        return ""
    if reference.startswith("urn:"):
        return reference.rsplit(":", 1)[-1]
    path = reference.partition("/_history/")[0].rstrip("/")
    return "/".join(path.split("/")[-2:])


def bare_all(references: Iterable[Reference] | None) -> list[str]:
    """ "Type/id" of every reference that has one."""
    return [name for one in references or () if (name := bare(one.reference))]


class Subjects:
    """Whose a resource is: the context patient's with every linked record's, or somebody else's."""

    def __init__(self, patient_id: str, linked: Iterable[str] = ()) -> None:
        self._known = {patient_id, *linked}
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
