"""The codes and names behind the keys that a case uses, taken from the value sets and tables of the knowledge."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

Coding = Mapping[str, str]
TABLES = {"drug": "drugs", "organism": "organisms", "specimen": "specimens", "circumstance": "circumstances"}


class Lexicon:
    """What a record would write for a key: the first code of its value set and the name of its table."""

    def __init__(self, shared: Path) -> None:
        self.shared = shared

    @cached_property
    def names(self) -> Mapping[tuple[str, str], str]:
        """(kind, key) to the name that the tables give."""
        found: dict[tuple[str, str], str] = {}
        for kind, table in TABLES.items():
            rows = self._yaml(f"{table}.yaml").get(table, {})
            found |= {(kind, str(key)): str(row["name"]) for key, row in rows.items()}
        words = self._yaml("words.yaml")
        for kind in ("test", "route", "answer", "reaction", "marker"):
            for key, row in words.get(f"{kind}s", {}).items():
                texts = row if isinstance(row, list) else [row.get("name"), *row.get("texts", [])]
                found[kind, str(key)] = next(str(text) for text in [*texts, key] if text)
        return found

    @cached_property
    def units(self) -> Mapping[str, str]:
        """The canonical unit of each test."""
        return {key: str(row.get("unit", "")) for key, row in self._yaml("words.yaml").get("tests", {}).items()}

    @cached_property
    def codes(self) -> Mapping[tuple[str, str], tuple[Coding, ...]]:
        """(kind, key) to the codings of its value set."""
        found: dict[tuple[str, str], tuple[Coding, ...]] = {}
        for file in sorted((self.shared / "valuesets").glob("*.json")):
            kind, _, key = file.stem.partition("-")
            includes = json.loads(file.read_text("utf-8")).get("compose", {}).get("include", [])
            found[kind, key.lower()] = tuple(
                {"system": include["system"], **{name: concept[name] for name in ("code", "display") if name in concept}}
                for include in includes
                for concept in include.get("concept", [])
            )
        return found

    @cached_property
    def _screening(self) -> frozenset[tuple[str, str]]:
        """Codes that say by themselves that carriage was looked for; a clinical result does not bear one."""
        return frozenset(
            (one["system"], one["code"]) for (kind, _), codings in self.codes.items() if kind == "screening" for one in codings
        )

    def known(self, kind: str, key: str) -> bool:
        return (kind, key) in self.names or (kind, key.lower()) in self.codes

    def concept(self, kind: str, key: str, text: str | None = None) -> dict[str, Any]:
        """A CodeableConcept: the first code of the value set, and a text."""
        elsewhere = self._screening if kind == "marker" else frozenset()
        known = self.codes.get((kind, key.lower()), ())
        codings = [one for one in known if (one["system"], one["code"]) not in elsewhere][:1] or known[:1]
        words = text or self.names.get((kind, key)) or (codings[0].get("display") if codings else None) or key
        return {**({"coding": [dict(codings[0])]} if codings else {}), "text": words}

    def _yaml(self, name: str) -> dict[str, Any]:
        path = self.shared / name
        return (yaml.safe_load(path.read_text("utf-8")) or {}) if path.exists() else {}
