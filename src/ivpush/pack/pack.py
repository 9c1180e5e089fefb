"""The rule pack: reads ``rules/``, checks it whole, and says what is in force on a date."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

from ivpush.contract.result import PackLayer, PackStamp, Source
from ivpush.errors import (
    Fault,
    PackError,
    UsageError,
    did_you_mean,
    first_faults,
    require_kind,
)
from ivpush.language.tree import Kind
from ivpush.language.vocabulary import Names
from ivpush.pack.book import Book, Content, Terms
from ivpush.pack.bundle import bundle_file, read_bundle
from ivpush.pack.causes import check_causes
from ivpush.pack.checked import read_shape
from ivpush.pack.codes import (
    CodeRow,
    DatedNumber,
    cells_by_column,
    read_codes,
    read_limits,
    words_of,
)
from ivpush.pack.data import Data, denials_of, read_data, read_sources, read_word_lists
from ivpush.pack.drug_files import read_drugs
from ivpush.pack.files import Faults, Layer, Say, Sheet, Yaml, sheets_of
from ivpush.pack.folder import (
    Cache,
    collect,
    contents_of,
    digest_of,
    key_of,
    read_files,
    rules_folder,
)
from ivpush.pack.known import Known
from ivpush.pack.later import Later
from ivpush.pack.payers import Payer, own_rules, read_payer, with_bases
from ivpush.pack.placing import BASE_FILES, PINS, is_pins, is_rule, misplaced
from ivpush.pack.policies import Policy, PolicyValue, as_written, policy_values, read_policies
from ivpush.pack.releases import Release, read_tables
from ivpush.pack.rule import Case, Rule, read_pins, read_rule
from ivpush.pack.shapes.data import PackFile
from ivpush.pack.wording import checked_wording, read_wording

__all__ = ["Pack", "Parts"]


_MOST_WINDOWS = 4_096
"""Books a pack keeps: a run asks for few, but a server for whatever policies its callers name."""


class Parts(TypedDict, total=False):
    """The parts of a pack that ``Pack.with_`` replaces."""

    codes: dict[str, CodeRow]
    limits: dict[str, list[DatedNumber]]
    policies: dict[str, Policy]
    rules: tuple[Rule, ...]
    payers: dict[str, Payer]
    data: Data


class Pack:
    """A checked rule pack; make one with ``Pack.load`` and ask it for a Book."""

    def __init__(
        self,
        layers: Sequence[Layer],
        digest: str,
        origins: Sequence[PackLayer] = (),
        *,
        checked: bool = False,
    ) -> None:
        faults = Faults()
        self.digest = digest
        self._checked = checked
        """Whether all was checked before: texts and tables then are read as they are asked for."""
        self._layers = layers
        # A pack that no folder was read for is one layer, and its hash is the digest.
        self._origins = origins or (PackLayer("", version=None, hash=digest),)
        self._windows: dict[tuple[object, ...], Book] = {}
        self._build(faults)
        if faults.found:
            raise PackError(faults.found)

    @classmethod
    def load(
        cls,
        rules: Path | str | None = None,
        extra: Sequence[Path | str] = (),
        cache: Path | None = None,
    ) -> Pack:
        """The pack in ``rules`` (default: the shipped one) with further packs stacked on it.

        ``cache`` is a folder for parsed files. Raises PackError with every fault found at once.
        """
        # A text is a sequence too, of folders with names of one letter.
        require_kind("packs", extra, (list, tuple), "give a list of folders")
        given = (rules or rules_folder(), *extra)
        for folder in given:
            require_kind("packs", folder, (str, Path), "give the path of a folder")
        folders = tuple(map(Path, given))
        paths = [collect(folder) for folder in folders]
        # Before any is read: nothing is spent on files that no pack has.
        lost = [
            fault
            for n, (folder, names) in enumerate(zip(folders, paths, strict=True))
            for fault in misplaced(str(folder), names, base=n == 0)
        ]
        if lost:
            raise PackError(first_faults(lost, len(lost)))
        contents = [contents_of(each) for each in paths]
        digests = [digest_of(content) for content in contents]
        # A batch notes the key, to see if rules changed, so it is made without a cache too.
        key = key_of(digests)
        origins = [
            PackLayer(folder.resolve().name, version=None, hash=digest)
            for folder, digest in zip(folders, digests, strict=True)
        ]
        store = Cache(cache, contents, key) if cache is not None else None
        known = store.read() if store is not None else None
        # Sheets of the cache have no places and need none: only packs without a fault are kept.
        if store is not None and known is not None:
            kept = [_kept_layer(*each) for each in zip(contents, known, strict=True)]
            # Whatever else may be odd in it is a miss as well, for the files themselves are here.
            with suppress(Exception):
                return cls(kept, key, origins)
        faults = Faults()
        layers = [read_files(content, faults.say) for content in contents]
        if faults.found:
            raise PackError(_in_folders(faults.found, folders, contents))
        try:
            made = cls(layers, key, origins)
        except PackError as error:
            raise PackError(_in_folders(error.faults, folders, contents)) from None
        if store is not None:
            store.write(
                [{name: sheet.data for name, sheet in sheets_of(layer)} for layer in layers]
            )
        return made

    @classmethod
    def shipped(cls, extra: Sequence[Path | str] = (), cache: Path | None = None) -> Pack:
        """The shipped pack to judge by, with further packs stacked on it, as ``load`` takes them.

        Alone it comes from its bundle where the package is installed: its rules then judge as those
        of ``load`` do, but have no cases and know no places in files.
        """
        file = bundle_file()
        if file is None or extra not in ((), []):
            return cls.load(extra=extra, cache=cache)
        bundle = read_bundle(file.read_bytes())
        origin = PackLayer(rules_folder().name, version=None, hash=bundle.digest)
        return cls([bundle.layer], key_of([bundle.digest]), [origin], checked=True)

    @property
    def every_rule(self) -> tuple[Rule, ...]:
        """The pack's rules, then those that payers' overlays bring of their own."""
        return (*self.rules, *(own for payer in self.payers.values() for own in payer.rules))

    @property
    def rules_by_word(self) -> dict[str, Rule]:
        """Every rule by its id and by its name."""
        return {word: rule for rule in self.every_rule for word in (rule.id, rule.name)}

    def __reduce__(self) -> tuple[Callable[..., Pack], tuple[object, ...]]:
        # A worker builds it anew from plain data; books and functions cannot be pickled.
        return partial(Pack, checked=self._checked), (self._layers, self.digest, self._origins)

    @property
    def releases(self) -> Mapping[str, Sequence[Release[object]]]:
        """The releases of tables held, by kind and date, of all packs of the stack."""
        return self.data.releases.by_kind()

    def _sheet(self, name: str, faults: Faults) -> Sheet:
        """One of the base pack's files; later packs add rules, payers, drugs and tables."""
        sheet = self._layers[0].get(f"{name}.yaml")
        if not isinstance(sheet, Sheet):
            raise PackError([*faults.found, Fault(f"{name}.yaml", "is missing", "write it")])
        return sheet

    def _build(self, faults: Faults) -> None:
        say: Say = faults.say
        sheets = {name: self._sheet(name, faults) for name in BASE_FILES}
        # Sources before all: every other file cites them, and each name is checked as it is read.
        about = read_shape(sheets["pack"], PackFile, say)
        sources = read_sources(self._layers, say)
        cited = frozenset(sources) if sources is not None else None
        known = Known(sources=cited, checked=self._checked)
        self.codes = read_codes(sheets["codes"], known, say)
        self.limits = read_limits(sheets["limits"], known, say)
        self.policies = read_policies(sheets["policies"], known, say)
        known = replace(
            known,
            policies=self.policies,
            codes=self.codes,
            cells=cells_by_column(self.codes),
        )
        # Tables before rules: a rule's denial codes must be active in them.
        releases = read_tables(self._layers, say, checked=self._checked)
        drugs = Later(lambda: read_drugs(self._layers, sheets["drug_words"], say))
        if not self._checked:
            drugs.get()
        words = read_word_lists(self._layers, known, say)
        data = read_data(sheets, drugs, releases, words, known, say)
        # Rules without data would bring faults that only follow from these.
        if about is None or sources is None or data is None:
            raise PackError(faults.found)
        _check_sets(data, self.policies, sheets["places"], say)
        self.name, self.version = about.name, about.version
        base = replace(self._origins[0], name=about.name, version=about.version)
        # The order in which packs are stacked changes nothing, so it is not told either.
        more = sorted(self._origins[1:], key=lambda layer: (layer.name, layer.hash))
        self.layers = (base, *more)
        self.case_date, self.checked = about.case_date.isoformat(), about.checked
        self.sources = sources
        self.data = data
        """Everything of the pack that is looked up by date, payer or policy."""
        self.names = Names(
            {name: one.kind for name, one in self.policies.items() if one.kind.name != "other"},
            {name: Kind("whole") for name in self.limits},
            words_of(self.codes),
            words=words.lists,
            modifiers=data.modifiers,
        )
        known = replace(
            known,
            kinds=data.modifiers.keys() | {"separate"},
            denials={} if self._checked else denials_of(releases),
            names=self.names,
        )
        if self._checked:
            self._wording = checked_wording(data, self.names)
        else:
            self._wording = read_wording(sheets["reasons"], data, self.names, say)
        self.rules = tuple(self._rules(known, say))
        if not self._checked:
            check_causes(self.rules, say)
        self.payers = self._payers(known, say)
        self._marks = self._boundaries()

    def _rules(self, known: Known, say: Say) -> Iterator[Rule]:
        taken: dict[str, str] = {}
        for layer in self._layers:
            pins = {} if self._checked else _pinned(layer, known, say)
            for name, sheet in sheets_of(layer):
                if not is_rule(name):
                    continue
                rule = read_rule(sheet, known, say, pins.get(name, ()))
                if rule is None:
                    continue
                for key in (rule.id, rule.name):
                    if key in taken:
                        problem = f"'{key}' is taken by {taken[key]}"
                        say(Fault(rule.place, problem, "choose another"))
                    taken[key] = rule.place
                yield rule

    def _payers(self, known: Known, say: Say) -> dict[str, Payer]:
        sheets = [
            sheet
            for layer in self._layers
            for name, sheet in sheets_of(layer)
            if name.startswith("payers/")
        ]
        # An overlay may switch off or soften what the overlay that it stands on brings.
        rules = {rule.id for rule in self.rules}.union(*map(own_rules, sheets))
        known = replace(known, rules=rules)
        payers: dict[str, Payer] = {}
        for sheet in sheets:
            payer = read_payer(sheet, self.policies, known, say)
            if payer is None:
                continue
            if payer.id in payers:
                problem = f"'{payer.id}' is taken by {payers[payer.id].place}"
                remedy = f"choose another id; base: {payer.id} takes what that overlay says"
                say(Fault(sheet.place(("id",)), problem, remedy))
            payers[payer.id] = payer
        return with_bases(payers, say)

    def _boundaries(self) -> list[date]:
        # The first window begins before all dates, so that bisect finds one for each day.
        days = {date.min}
        for low, high in self.data.windows(self.codes, self.limits):
            days.add(low)
            if high is not None:
                # The day after, because the end of a window belongs to it.
                days.add(high + timedelta(days=1))
        for payer in self.payers.values():
            days.add(payer.valid_from)
            if payer.valid_to is not None:
                days.add(payer.valid_to + timedelta(days=1))
        for rule in (*self.rules, *(own for one in self.payers.values() for own in one.rules)):
            days.add(rule.valid_from)
            if rule.valid_to is not None:
                days.add(rule.valid_to + timedelta(days=1))
        return sorted(days)

    def with_(self, **parts: Unpack[Parts]) -> Pack:
        """A pack with some parts replaced: codes, limits, policies, rules, payers, data.

        The parts are taken as they are: nothing is checked again, and this pack stays the same.
        """
        pack = Pack.__new__(Pack)
        pack.__dict__.update(self.__dict__)
        pack.__dict__.update(parts)
        pack._windows = {}
        pack._marks = pack._boundaries()
        return pack

    def sheet(self, name: str) -> Sheet | None:
        """One YAML file of the base pack, by its path without the ending; None without it."""
        found = self._layers[0].get(f"{name}.yaml")
        return found if isinstance(found, Sheet) else None

    def tables(self) -> Iterator[tuple[str, bytes]]:
        """Every CSV file of every layer, by its path."""
        for layer in self._layers:
            yield from ((name, raw) for name, raw in layer.items() if isinstance(raw, bytes))

    def sheets(self) -> Iterator[Sheet]:
        """Every YAML file of every layer."""
        for layer in self._layers:
            yield from (sheet for _, sheet in sheets_of(layer))

    def book(
        self,
        day: date | None,
        payer: str | None = None,
        policies: Mapping[str, object] | None = None,
        setting: str | None = None,
    ) -> Book:
        """What is in force on a date; without a date, on the day the pack was checked.

        The kind of claim matters where the payer's page speaks of one kind alone.

        Raises UsageError for a policy or a value that does not exist.
        """
        # A claim without any date is checked as of the day that people checked the pack.
        on = day if day is not None else self.checked
        window = bisect_right(self._marks, on)
        overlay = self.payers.get(payer) if payer is not None else None
        if overlay is None or not overlay.of_one_setting:
            setting = None
        # One book a window, not a day: between two boundaries nothing changes.
        key = (window, payer, setting, json.dumps(policies, sort_keys=True, default=str))
        book = self._windows.get(key)
        if book is None:
            if len(self._windows) >= _MOST_WINDOWS:
                self._windows.clear()
            book = self._windows[key] = self._open(on, payer, policies or {}, setting)
        return book.dated(day)

    def require_payer(self, payer: str) -> None:
        """Raise UsageError where a payer has no overlay in the pack."""
        if payer not in self.payers:
            problem = "has no overlay in this pack"
            raise UsageError(Fault("payer", problem, did_you_mean(str(payer), self.payers)))

    def _policies(
        self, overlay: Payer | None, policies: Mapping[str, object]
    ) -> dict[str, PolicyValue]:
        """Policies of a payer's overlay with the caller's own on top, checked."""
        # The caller's own last: who asks "what if" means it against the payer too.
        set_by = dict(overlay.policies) if overlay is not None else {}
        for name, value in policies.items():
            policy: Policy | None = self.policies.get(name)
            if policy is None:
                problem = "does not exist (ivpush docs vocabulary lists all)"
                remedy = did_you_mean(name, self.policies)
                raise UsageError(Fault(f"policy {name[:60]}", problem, remedy))
            set_by[name] = policy.read(value)
        return policy_values(self.policies, set_by)

    def source(self, name: str) -> Source:
        """What a cited name stands for."""
        row = self.sources[name]
        return Source(row.title, row.publisher, row.edition, row.url, checked=row.checked)

    def stamp(self, book: Book) -> PackStamp:
        """What results say of the rules by which they came about."""
        return PackStamp(
            layers=self.layers,
            payer=book.payer,
            in_force_on=book.date,
            policies={
                name: as_written(value)
                for name, policy in self.policies.items()
                if (value := getattr(book.policy, name)) != policy.default
            },
        )

    def _open(
        self, day: date, payer: str | None, set_by: Mapping[str, object], setting: str | None
    ) -> Book:
        overlay = self.payers.get(payer) if payer is not None else None
        if overlay is not None:
            overlay = overlay.speaking(day, setting)
        rules = self.rules if overlay is None else overlay.applied(self.rules)
        values = self._policies(overlay, set_by)
        terms = Terms(
            day=day,
            payer=payer,
            setting=setting,
            payer_known=None if payer is None else overlay is not None,
            # As the caller gave it, so that with_policy can lay it over the payer's again.
            set_by=set_by,
            policies=values,
            disputes=tuple(
                (name, policy.asks)
                for name, policy in self.policies.items()
                # Who set a policy knows the payer's position, and is not asked about it.
                if policy.asks and name not in set_by
            ),
            settled=frozenset(
                [name for name, row in self.policies.items() if values[name] in row.settles]
            ),
        )
        content = Content(
            codes=self.codes,
            limits=self.limits,
            data=self.data,
            rules=[rule for rule in rules if rule.in_force(day)],
            names=self.names,
            wording=self._wording,
        )
        return Book(terms, content, opener=self)


def _in_folders(
    faults: Iterable[Fault], folders: Sequence[Path], contents: Sequence[Mapping[str, bytes]]
) -> list[Fault]:
    """Faults with the folder of a stacked pack before its files, so that an editor opens them."""
    base, *more = contents
    owners = {
        name: folder
        for folder, content in zip(folders[1:], more, strict=True)
        for name in content.keys() - base.keys()
    }
    return [
        replace(fault, place=f"{owner}/{fault.place}")
        if (owner := owners.get(fault.place.partition(":")[0])) is not None
        else fault
        for fault in faults
    ]


def _kept_layer(content: Mapping[str, bytes], data: Mapping[str, Yaml]) -> Layer:
    """The files of a pack with those of YAML from the cache, which keeps no places of values."""
    tables = {name: raw for name, raw in content.items() if name.endswith(".csv")}
    return {**tables, **{name: Sheet(name, part, {}) for name, part in data.items()}}


def _pinned(layer: Layer, known: Known, say: Say) -> dict[str, tuple[Case, ...]]:
    """The further cases of one pack, by the rule file that each file of them stands beside."""
    pins: dict[str, tuple[Case, ...]] = {}
    for name, sheet in sheets_of(layer):
        if not is_pins(name):
            continue
        rule = name.removesuffix(PINS) + ".yaml"
        if rule in layer:
            pins[rule] = read_pins(sheet, known, say)
        else:
            beside = [other for other in layer if is_rule(other)]
            problem = f"stands beside no rule file {rule.rpartition('/')[2]}"
            say(Fault(sheet.place(), problem, did_you_mean(rule, beside)))
    return pins


def _check_sets(data: Data, policies: Mapping[str, Policy], sheet: Sheet, say: Say) -> None:
    """Say which sets of places a policy may name and places.yaml lacks."""
    policy = policies.get("facility_pos_set")
    for name in policy.values if policy is not None else ():
        if name not in data.sets:
            problem = f"places: lacks '{name}', a value of the policy facility_pos_set"
            say(Fault(sheet.place(("places",)), problem, "list its places"))
