"""Turns the rule sheets of one condition into rules, and checks that every word in them is known."""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, get_type_hints

import msgspec

from cds_service.clinical.bedside import Reference
from cds_service.clinical.regimen import Drugs
from cds_service.knowledge.known import Known, unknown
from cds_service.knowledge.sets import named
from cds_service.knowledge.told import nearest, told
from cds_service.protocol.response import LONGEST_SUMMARY
from cds_service.rule import NOT_CURRENT, STANDING_NOTES, Rule, RuleSheet
from cds_service.triggers import TRIGGERS, Trigger
from cds_service.wording import STANDING_WORDS, braces

ID = re.compile(r"[a-z][A-Za-z0-9]{2,99}")
WRONG = object()  # stands for a value that could not be read; an empty one may be meant
MARKUP = re.compile(r"<[a-zA-Z!/]|!\[|\]\(")


def rules(known: Known, folder: str, reference: Reference) -> tuple[list[Rule], set[str]]:
    """Every sheet of a condition as a rule, and the ids of all sheets, those that could not be read by their file's name."""
    files = known.files
    found: dict[str, Rule] = {}
    ids: set[str] = set()
    for name in files.under(f"{folder}/rules/*.yaml"):
        ids.add(_camel(_stem(name)))
        sheet = files.typed(name, RuleSheet)
        if sheet is None:
            continue
        ids.add(sheet.id)
        trigger = _bind(known, name, sheet, reference)
        _check_sheet(known, name, sheet, trigger)
        if sheet.id in found:
            files.problem(name, "id", sheet.id, f"an id of its own; {found[sheet.id].file} has it")
        elif trigger and ID.fullmatch(sheet.id) and _kebab(sheet.id) == _stem(name):
            found[sheet.id] = Rule(sheet, trigger, name)
    return list(found.values()), ids


def _check_sheet(known: Known, name: str, sheet: RuleSheet, trigger: Trigger | None) -> None:
    files = known.files
    if not ID.fullmatch(sheet.id) or _kebab(sheet.id) != _stem(name):
        wanted = f"letters and digits in lowerCamelCase, the file's name in kebab-case ({_kebab(sheet.id)}.yaml)"
        files.problem(name, "id", sheet.id, wanted)
    known.look(name, sheet)
    if sheet.reviewed.next <= sheet.reviewed.on:
        files.problem(name, "reviewed.next", sheet.reviewed.next, f"a date after {sheet.reviewed.on}, when it was looked at")
    for key, text in {"summary": sheet.summary, **{f"variants.{word}": text for word, text in sheet.variants.items()}}.items():
        if len(text) > LONGEST_SUMMARY:
            files.problem(name, key, f"{len(text)} characters", f"at most {LONGEST_SUMMARY}")
    for key, text in _sentences(sheet):
        _check_braces(known, name, key, text, trigger)
        if MARKUP.search(text):
            files.problem(name, key, "markup", "plain words: no HTML, no image, no link")
    for note, rows in sheet.evidence_only_with.items():
        unknown(files, name, f"evidence_only_with.{note}", rows, sheet.evidence, "a row of `evidence`")
    if trigger:
        _check_said(known, name, sheet, trigger)


def _sentences(sheet: RuleSheet) -> Iterator[tuple[str, str]]:
    yield "summary", sheet.summary
    yield "detail", sheet.detail
    yield "limits", sheet.limits
    yield from ((f"variants.{word}", text) for word, text in sheet.variants.items())
    yield from ((f"notes.{word}", text) for word, text in sheet.notes.items())


def _check_braces(known: Known, name: str, key: str, text: str, trigger: Trigger | None) -> None:
    """Only plain words in braces, and of these only such as the trigger or the evidence fills."""
    try:
        words = braces(text)
    except ValueError as error:
        words = {str(error)}
    filled = {*STANDING_WORDS, *trigger.SAYS.words.split()} if trigger else None
    for word in sorted(words):
        if not re.fullmatch(r"[a-z_]+", word):
            known.files.problem(name, key, f"{{{word}}}", "only {word} in braces: no operator, no format")
        elif filled and word not in filled:
            known.files.problem(name, key, f"{{{word}}}", f"a word that this rule fills in ({nearest(word, filled)})")


def _check_said(known: Known, name: str, sheet: RuleSheet, trigger: Trigger) -> None:
    """A variant or a note that the trigger never asks for would never be read."""
    said, listed = trigger.SAYS, known.words.get(trigger.SAYS.of.name) if trigger.SAYS.of else ()
    if listed is None:
        return
    variants, notes = [NOT_CURRENT, *said.variants.split(), *listed], [*STANDING_NOTES, *said.notes.split(), *listed]
    unknown(known.files, name, "variants", sheet.variants, variants, f"a variant of {sheet.trigger}")
    for key in ("notes", "suggest_with", "override_with", "evidence_only_with"):
        unknown(known.files, name, key, getattr(sheet, key), notes, f"a note of {sheet.trigger}")


def _bind(known: Known, name: str, sheet: RuleSheet, reference: Reference) -> Trigger | None:
    """The trigger with the sheet's `with:` block as its fields; None where it cannot be had, which is a problem."""
    kind = TRIGGERS.get(sheet.trigger)
    if kind is None:
        unknown(known.files, name, "trigger", [sheet.trigger], TRIGGERS, "a trigger")
        return None
    hints = get_type_hints(kind)
    fields: Sequence[dataclasses.Field[Any]] = dataclasses.fields(kind)  # type: ignore[arg-type]
    unknown(known.files, name, "with", sheet.with_, [field.name for field in fields], f"a field of {sheet.trigger}")
    strange = sheet.with_.keys() - {field.name for field in fields}
    values: dict[str, Any] = {}
    for field in fields:
        if field.name in sheet.with_:
            values[field.name] = _value(known, name, f"with.{field.name}", sheet.with_[field.name], hints[field.name], reference)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            if not get_close_matches(field.name, strange):
                known.files.problem(name, f"with.{field.name}", "nothing", f"a value: {sheet.trigger} needs it")
            values[field.name] = WRONG
    if WRONG in values.values():
        return None
    found = kind(**values)
    known.look(name, found, under="with")
    return found


def _value(known: Known, name: str, key: str, raw: Any, hint: Any, reference: Reference) -> Any:
    def decode(kind: Any, value: Any) -> Any:
        return named(known, name, key, value, reference.sets, reference.drugs) if kind is Drugs else value

    try:
        return msgspec.convert(raw, hint, strict=False, dec_hook=decode)
    except msgspec.ValidationError as error:
        known.files.problem(name, key, *told(str(error), raw, hint)[1:])
        return WRONG


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].removesuffix(".yaml")


def _kebab(identifier: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", identifier).lower()


def _camel(stem: str) -> str:
    return re.sub(r"-([a-z0-9])", lambda found: found[1].upper(), stem)
