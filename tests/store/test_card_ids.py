"""Ids that prove by themselves that we gave them."""

import random
import uuid

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.store.card_ids import CardIds
from cds_service.store.pseudonyms import Pseudonyms

IDS = CardIds(b"a secret of thirty-two characters", random.Random(1).getrandbits)
MINT = IDS.minter("general", "order-sign")


def test_an_id_is_a_uuid_of_version_8() -> None:
    """O5: what is given out is an RFC 9562 UUID of version 8, different each time."""
    made = [MINT() for _ in range(5_000)]
    assert len(set(made)) == 5_000
    assert {(uuid.UUID(one).version, uuid.UUID(one).variant) for one in made} == {(8, uuid.RFC_4122)}


def test_own_ids_are_known_without_reading_anything() -> None:
    """O5: every id is recognised by its client and service, in lower and upper case."""
    assert all(
        IDS.ours("general", "order-sign", one) and IDS.ours("general", "order-sign", one.upper()) for one in (MINT() for _ in range(500))
    )


def test_another_client_service_or_secret_does_not_know_it() -> None:
    """O5: an id is worth nothing elsewhere."""
    one = MINT()
    assert not IDS.ours("other", "order-sign", one)
    assert not IDS.ours("general", "patient-view", one)
    assert not CardIds(b"another secret of the same length").ours("general", "order-sign", one)


def test_no_random_id_is_taken_for_ours() -> None:
    """A20: none of 20,000 random UUIDs is accepted."""
    drawn = random.Random(2)
    assert not any(IDS.ours("general", "order-sign", str(uuid.UUID(int=drawn.getrandbits(128)))) for _ in range(20_000))


def test_no_changed_digit_is_taken_for_ours() -> None:
    """A20: each of the 480 ids that differ in one digit is refused."""
    one = MINT()
    for place, digit in enumerate(one):
        if digit != "-":
            changed = [one[:place] + other + one[place + 1 :] for other in "0123456789abcdef" if other != digit]
            assert not any(IDS.ours("general", "order-sign", other) for other in changed)


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_any_text_can_be_asked_about(text: str) -> None:
    """FB-10: whatever a client sends as a card id, the answer is no and not an error."""
    assert not IDS.ours("general", "order-sign", text)


@given(st.lists(st.text(max_size=5), min_size=2, max_size=2), st.lists(st.text(max_size=5), min_size=2, max_size=2))
@settings(max_examples=300)
def test_pseudonyms_meet_only_where_everything_is_equal(first: list[str], second: list[str]) -> None:
    """Two identifiers have the same hash only if all their parts are the same, wherever the boundary between parts lies."""
    hashes = Pseudonyms(b"secret")
    assert (hashes.of("patient", *first) == hashes.of("patient", *second)) == (first == second)


def test_pseudonyms_depend_on_kind_and_secret() -> None:
    """A patient and a clinician with the same id, or the same patient at another installation, cannot be told to be the same."""
    here, there = Pseudonyms(b"secret"), Pseudonyms(b"another")
    assert len({here.of("patient", "1"), here.of("clinician", "1"), there.of("patient", "1")}) == 3
