"""Reads the folder of knowledge strictly: every mistake becomes a problem with its file and key."""

import csv
import hashlib
import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, TypeVar

import msgspec
import orjson
import yaml

from cds_service.errors import Problem
from cds_service.knowledge.told import nearest, told

T = TypeVar("T")
READ = {".yaml", ".yml", ".csv", ".json"}
ADDED = ("*/rules/*.yaml", "shared/valuesets/*.json")
BOOL = "tag:yaml.org,2002:bool"


class _Strict(yaml.CSafeLoader):
    """YAML in which a key may stand only once, and in which `on` and `off` are words, as in YAML 1.2."""

    yaml_implicit_resolvers: ClassVar = {  # type: ignore[misc]  # the stubs call it an instance's
        first: [(tag, pattern) for tag, pattern in resolvers if tag != BOOL]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} a second time", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_Strict.add_implicit_resolver(BOOL, re.compile(r"^(?:true|false)$"), list("tf"))
_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


@dataclass
class Files:
    """The texts of all knowledge files by relative path, the problems met so far, and the files that could not be read."""

    texts: dict[str, bytes]
    problems: list[Problem] = field(default_factory=list)
    overlay: dict[str, bytes] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, folder: Path, overlay: Path | None = None) -> "Files":
        found = cls(_texts(folder), overlay=_texts(overlay) if overlay else {})
        for name in sorted({*found.texts, *found.overlay}):
            if name.endswith(".yml"):
                found.problem(name, "file", "a name that is not read", "the ending .yaml")
                found.asked.add(name)
        if not found.texts:
            found.problem(str(folder), "folder", "no knowledge files", "a folder with shared/ and one folder for each condition")
        elif overlay:
            found._check_overlay(overlay)
        return found

    def _check_overlay(self, overlay: Path) -> None:
        """A site changes files that are there, or adds rules, value sets and conditions; any other file is a slip of the pen."""
        if not self.overlay:
            said = "no knowledge files" if overlay.is_dir() else "no folder"
            self.problem(str(overlay), "overlay", said, "a folder with a site's differences, laid out as the knowledge is")
        added = {name.split("/")[0] for name in self.overlay if name.endswith("/policy.yaml")} - {name.split("/")[0] for name in self.texts}
        for name in sorted(self.overlay.keys() - self.texts.keys()):
            path = PurePosixPath(name)
            if path.suffix != ".yml" and path.parts[0] not in added and not any(path.match(pattern) for pattern in ADDED):
                wanted = f"the name of a file of the knowledge ({nearest(name, self.texts)})"
                self.problem(name, "file", "a file that changes nothing", wanted)
                del self.overlay[name]

    def problem(self, file: str, key: str, found: object, expected: str) -> None:
        self.problems.append(Problem(file, key, str(found), expected))

    def _fail(self, file: str, key: str, found: object, expected: str) -> None:
        self.problem(file, key, found, expected)
        self.failed.add(file)

    def told(self) -> list[Problem]:
        """All problems, each once: first those of files that could not be read, since others may come of them."""
        return sorted(set(self.problems), key=lambda one: (one.file not in self.failed, one))

    def check_asked(self) -> None:
        """A file that nothing has asked for lies in a folder, or has a name, in which nobody looks."""
        for name in sorted({*self.texts, *self.overlay} - self.asked):
            self.problem(name, "file", "a file that is not read", f"a file that has its place ({nearest(name, self.asked)})")

    def digest(self) -> str:
        """A short hash of everything that was read."""
        digest = hashlib.sha256()
        for texts in (self.texts, self.overlay):
            for name in sorted(texts):
                digest.update(name.encode() + b"\0" + texts[name] + b"\0")
        return digest.hexdigest()[:12]

    def under(self, pattern: str) -> list[str]:
        """Relative paths that match a pattern such as "condition/rules/*.yaml"."""
        found = sorted(name for name in {*self.texts, *self.overlay} if PurePosixPath(name).match(pattern))
        self.asked.update(found)
        return found

    def folders(self) -> list[str]:
        """The condition folders."""
        return sorted(
            {name.split("/")[0] for name in {*self.texts, *self.overlay} if PurePosixPath(name).match("*/policy.yaml")} - {"shared"}
        )

    def yaml(self, name: str) -> Any:
        """The parsed file, with the site's differences laid over it; None where it is absent or broken."""
        self.asked.add(name)
        base = self._parse(name, self.texts.get(name))
        over = self._parse(name, self.overlay.get(name))
        return merged(base, over) if base is not None and over is not None else over if base is None else base

    def _parse(self, name: str, text: bytes | None) -> Any:
        if text is None:
            return None
        try:
            return yaml.load(text, Loader=_Strict)  # noqa: S506, the loader is a safe one
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"line {mark.line + 1}" if mark else "file"
            self._fail(name, where, getattr(error, "problem", None) or "text that is not YAML", "valid YAML with unique keys")
        except (ValueError, TypeError, RecursionError) as error:  # such as the 31st of February, or a list as a key
            self._fail(name, "file", f"a value that is none: {error}", "valid YAML with plain values")
        return None

    def rows(self, name: str, columns: Collection[str]) -> Iterator[tuple[int, dict[str, str]]]:
        """The rows of a table with their line numbers; a table with other columns has none."""
        self.asked.add(name)
        text = self.overlay.get(name, self.texts.get(name))
        if text is None:
            self._fail(name, "file", "nothing", "the table")
            return
        try:
            reader = csv.DictReader(io.StringIO(text.decode("utf-8-sig")), strict=True)
            if not self._columns(name, reader.fieldnames or (), columns):
                return
            for row in reader:
                if None in row or None in row.values():
                    self._fail(name, f"line {reader.line_num}", "another number of cells", "one cell for each column")
                    continue
                yield reader.line_num, {key: value.strip() for key, value in row.items()}
        except UnicodeDecodeError:
            self._fail(name, "file", "text that is not UTF-8", "a table in UTF-8")
        except csv.Error as error:
            self._fail(name, f"line {reader.line_num}", error, "a valid CSV row")

    def _columns(self, name: str, found: Collection[str], wanted: Collection[str]) -> bool:
        """Whether a table has its columns; one that is misspelt is not missing as well."""
        strange = sorted(set(found) - set(wanted))
        for column in strange:
            self._fail(name, "line 1", f"the column {column}", f"a known column ({nearest(column, wanted)})")
        for column in sorted(set(wanted) - set(found)):
            if not get_close_matches(column, strange):
                self._fail(name, "line 1", f"no column {column}", f"the columns {', '.join(wanted)}")
        return name not in self.failed

    def json(self, name: str) -> Any:
        """One JSON file; None where it is absent or broken."""
        self.asked.add(name)
        text = self.overlay.get(name, self.texts.get(name))
        try:
            found = orjson.loads(text) if text is not None else None
        except orjson.JSONDecodeError as error:
            self._fail(name, "file", error, "valid JSON")
            return None
        if text is not None and not isinstance(found, dict):
            self._fail(name, "file", "no object", "a JSON object")
            return None
        return found

    def typed(self, name: str, kind: type[T], raw: Any = None, under: str = "") -> T | None:
        """A file, or the part of it `under` a key, as a typed record; what does not fit becomes a problem."""
        raw = self.yaml(name) if raw is None else raw
        if raw is None:
            if name not in self.failed and (name in self.texts or name in self.overlay):
                self._fail(name, under or "file", "nothing", "a table of keys")
            return None
        try:
            return msgspec.convert(raw, kind, strict=False)
        except msgspec.ValidationError as error:
            key, found, expected = told(str(error), raw, kind)
            self._fail(name, f"{under}.{key}" if under else key, found, expected)
            return None

    def table(self, name: str, kind: type[T]) -> T | None:
        """A file that must be there, as a typed record."""
        found = self.typed(name, kind)
        if found is None and name not in self.failed:
            self._fail(name, "file", "nothing", "the table")
        return found


def _texts(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix in READ and path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def merged(base: Any, over: Any) -> Any:
    """Maps are merged key by key, everything else is replaced."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{key: merged(base[key], value) if key in base else value for key, value in over.items()}}
    return over
