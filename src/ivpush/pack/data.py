"""What a pack holds beside its codes and rules: ranks, supervision, modifiers, words, tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, get_args

from ivpush.contract.fields import Device, Setting
from ivpush.errors import Fault, did_you_mean
from ivpush.language.tree import fold
from ivpush.pack.checked import read_shape
from ivpush.pack.codes import CodeRow, DatedNumber
from ivpush.pack.drug_files import DrugTable
from ivpush.pack.drugs import DrugNames, DrugRow
from ivpush.pack.files import Layer, Say, Sheet
from ivpush.pack.known import Known
from ivpush.pack.later import Later
from ivpush.pack.releases import NOTED, quarter_end
from ivpush.pack.roles import Role, Spellings
from ivpush.pack.shapes.data import (
    HierarchyFile,
    ModifiersFile,
    PhrasesFile,
    PlacesFile,
    ReasonsFile,
    RoleShape,
    SourcesFile,
    SourceShape,
    SupervisionFile,
    SupervisionShape,
    WordsFile,
)
from ivpush.records import record

if TYPE_CHECKING:
    from ivpush.pack.files import Window
    from ivpush.pack.releases import Releases

__all__ = [
    "MODIFIERS",
    "Data",
    "SupervisionRow",
    "denials_of",
    "read_data",
    "read_sources",
    "read_word_lists",
]


@record
class SupervisionRow:
    """The level and modes of supervision that one setting asks in some dates."""

    setting: str
    families: frozenset[str]
    level: str
    modes: frozenset[str]
    valid_from: date
    valid_to: date | None
    policy: tuple[tuple[str, str], ...]
    cites: tuple[str, ...]


MODIFIERS = frozenset(
    {"distinct", "none_wasted", "separate_encounter", "separate_site", "unusual", "wasted"}
)
"""The kinds of modifiers that the engine itself reads, by ``book.modifier``."""


@record
class Data:
    """Everything of a pack that is looked up by date, payer or policy."""

    drug_table: Later[DrugTable]
    ranks: dict[tuple[str, str], int]
    ranked: Window
    supervision: list[SupervisionRow]
    modifiers: dict[str, str]
    separate: frozenset[str]
    visit: frozenset[str]
    lifting: frozenset[str]
    lifted_from: date
    bill_kinds: dict[str, str]
    phrases: tuple[str, ...]
    needs: tuple[str, ...]
    sets: dict[str, frozenset[str]]
    own_work: frozenset[str]
    roles: Spellings[Role]
    devices: Spellings[Device]
    reasons: dict[str, tuple[str, tuple[str, ...]]]
    questions: dict[str, tuple[str, str]]
    words: dict[tuple[str, str], str]
    releases: Releases

    @property
    def drugs(self) -> dict[str, DrugRow]:
        """Rows of drugs by HCPCS code."""
        return self.drug_table.get().by_code

    @property
    def names(self) -> DrugNames:
        """The look-up of drugs by name."""
        return self.drug_table.get().names

    @property
    def denials(self) -> dict[tuple[str, str], bool]:
        """Denial codes by kind (CARC, RARC), and whether each is still active."""
        return denials_of(self.releases)

    def windows(
        self,
        codes: Mapping[str, CodeRow],
        limits: Mapping[str, Sequence[DatedNumber]],
    ) -> Iterator[Window]:
        """Every window of dates in the data, for the boundaries between books."""
        yield self.ranked
        for code in codes.values():
            yield code.valid_from, code.valid_to
        for numbers in limits.values():
            for low, high, _ in numbers:
                yield low, high
        for row in self.supervision:
            yield row.valid_from, row.valid_to
        for name, releases in self.releases.by_kind().items():
            for release in releases:
                # Past its quarter a table still counts, but a run then says so: a book apart.
                last = quarter_end(release.day) if name in NOTED else None
                yield release.day, last


def denials_of(releases: Releases) -> dict[tuple[str, str], bool]:
    """Denial codes by kind (CARC, RARC), and whether each is still active."""
    denials: dict[tuple[str, str], bool] = {}
    for release in releases.denials:
        # Releases come in order of date, so what ended later overwrites what was active.
        denials |= release.table
    return denials


@record
class _Marks:
    """What modifiers.yaml says."""

    modifiers: dict[str, str]
    separate: frozenset[str]
    visit: frozenset[str]
    lifting: frozenset[str]
    lifted_from: date


def read_data(
    sheets: Mapping[str, Sheet],
    drugs: Later[DrugTable],
    releases: Releases,
    written: WordLists,
    known: Known,
    say: Say,
) -> Data | None:
    """The data files of the base pack; faults are said with their places, None if one is unfit.

    ``known`` must hold the sources, the policies and the words of codes.yaml.
    """
    hierarchy = read_shape(sheets["hierarchy"], HierarchyFile, say, known)
    supervision = read_shape(sheets["supervision"], SupervisionFile, say, known)
    marks = _read_modifiers(sheets["modifiers"], known, say)
    phrases = read_shape(sheets["phrases"], PhrasesFile, say, known)
    places = read_shape(sheets["places"], PlacesFile, say, known)
    wording = read_shape(sheets["reasons"], ReasonsFile, say, known)
    if not (hierarchy and supervision and marks and phrases and places and wording):
        return None
    _check_settings(sheets["supervision"], supervision, say)
    reasons = [
        *wording.suggested.items(),
        *wording.decided.items(),
        *wording.not_billable.items(),
        *wording.trace.items(),
    ]
    return Data(
        drug_table=drugs,
        releases=releases,
        ranks={(row.family, row.technique): row.rank for row in hierarchy.hierarchy.values()},
        ranked=(hierarchy.in_force.low, hierarchy.in_force.high),
        # In the order of the file: of two rows that fit, the later counts.
        supervision=[_supervision_row(row) for row in supervision.supervision.values()],
        modifiers=marks.modifiers,
        separate=marks.separate,
        visit=marks.visit,
        lifting=marks.lifting,
        lifted_from=marks.lifted_from,
        bill_kinds={prefix: kind for kind, those in supervision.bills.items() for prefix in those},
        phrases=phrases.convenience,
        needs=phrases.need,
        sets={name: frozenset(codes) for name, codes in places.places.items()},
        own_work=frozenset(places.own_work),
        roles=written.roles,
        devices=written.devices,
        reasons={name: (row.because, row.cites) for name, row in reasons},
        questions={name: (row.who, row.ask) for name, row in wording.questions.items()},
        words={
            (name, answer): text
            for name, row in wording.questions.items()
            for answer, text in row.answers.items()
        },
    )


def _supervision_row(row: SupervisionShape) -> SupervisionRow:
    return SupervisionRow(
        setting=row.setting,
        families=frozenset(row.families),
        level=row.level,
        modes=frozenset(row.modes),
        valid_from=row.in_force.low,
        valid_to=row.in_force.high,
        policy=tuple(row.policy.items()),
        cites=row.cites,
    )


def _check_settings(sheet: Sheet, shape: SupervisionFile, say: Say) -> None:
    # Some kinds of hospital have rows of their own, told by their type of bill.
    settings = {*get_args(Setting), *shape.bills}
    for n, row in shape.supervision.items():
        if row.setting not in settings:
            place = sheet.place(("supervision", n, "setting"))
            problem = f"setting: '{row.setting[:60]}' is neither a kind of claim nor one of bills"
            say(Fault(place, problem, did_you_mean(row.setting, settings)))


def _read_modifiers(sheet: Sheet, known: Known, say: Say) -> _Marks | None:
    shape = read_shape(sheet, ModifiersFile, say, known)
    if shape is None:
        return None
    modifiers = {row.kind: row.code for row in shape.modifiers.values()}
    for key, kinds in (("separate", shape.separate), ("visit", shape.visit)):
        for n, kind in enumerate(kinds):
            if kind not in modifiers:
                problem = f"{key}: '{kind[:60]}' is no kind of modifier"
                say(Fault(sheet.place((key, n)), problem, did_you_mean(kind, modifiers)))
    # Found when the pack loads, and not with the first claim that needs the modifier.
    for kind in MODIFIERS - modifiers.keys():
        say(Fault(sheet.place(), f"lacks the kind '{kind}', which the engine reads", "write it"))
    separate = frozenset(modifiers[kind] for kind in shape.separate if kind in modifiers)
    return _Marks(
        modifiers=modifiers,
        separate=separate,
        visit=frozenset(modifiers[kind] for kind in shape.visit if kind in modifiers),
        # Anatomic and global-surgery modifiers lift a pair too (NCCI manual, chapter 1).
        lifting=separate | frozenset(shape.lifts_pairs.modifiers),
        lifted_from=shape.lifts_pairs.on_either_line_from,
    )


class WordLists(NamedTuple):
    """What the files words.yaml of a stack of packs hold."""

    lists: dict[str, frozenset[str]]
    roles: Spellings[Role]
    devices: Spellings[Device]


def read_sources(layers: Sequence[Layer], say: Say) -> dict[str, SourceShape] | None:
    """The sources of all packs of a stack by id; None where the base pack's cannot be used."""
    sources: dict[str, SourceShape] = {}
    for n, layer in enumerate(layers):
        sheet = layer.get("sources.yaml")
        if not isinstance(sheet, Sheet):
            continue
        shape = read_shape(sheet, SourcesFile, say)
        if shape is None and n == 0:
            return None
        for name, source in (shape.sources if shape is not None else {}).items():
            if name in sources:
                place = sheet.place(("sources", name), key=True)
                say(Fault(place, f"'{name}' is a source of another pack", "choose another id"))
            sources.setdefault(name, source)
    return sources


def read_word_lists(layers: Sequence[Layer], known: Known, say: Say) -> WordLists:
    """The word lists, folded, and the roles; a later pack's list or role stands for its name's."""
    lists: dict[str, frozenset[str]] = {}
    roles: dict[str, RoleShape] = {}
    devices: dict[Device, tuple[str, ...]] = {}
    for layer in layers:
        sheet = layer.get("words.yaml")
        if isinstance(sheet, Sheet):
            shape = read_shape(sheet, WordsFile, say, known)
            for name, words in shape.words.items() if shape is not None else ():
                # Folded once here; a rule folds only what it looks up.
                lists[name] = frozenset(fold(word) for word in words)
            roles |= shape.roles if shape is not None else {}
            devices |= shape.devices if shape is not None else {}
    spellings = [
        (spelling, Role(name, row.acts_as))
        for name, row in roles.items()
        # The short name is a spelling too: charts write RN as often as the words for it.
        for spelling in (name, *row.words)
    ]
    named = [(spelling, device) for device, words in devices.items() for spelling in words]
    return WordLists(lists, Spellings(spellings), Spellings(named))
