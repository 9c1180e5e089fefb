"""What cannot be read may belong to a chart, which is then not judged as if it were whole.

``reader`` takes down every line and entry that it cannot read. As far as such a text still names an
encounter or a patient, only their charts are held back; where it names neither, it may be of any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ivpush.errors import Fault
from ivpush.readers.fhir.links import aliases, encounter_keys, subject_of

__all__ = ["CHARTED", "Holds"]

CHARTED = frozenset({"Encounter", "MedicationAdministration"})
"""Resources without which a chart is another one."""
_KIND = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]+)"')
_ENCOUNTER = re.compile(rb'"(?:[^"\s]*/)?(Encounter/[^"/\s]+)"')
_PATIENT = re.compile(rb'"(?:[^"\s]*/)?(Patient/[^"/\s]+)"')


@dataclass(slots=True)
class Holds:
    """Places of what was not read, by the encounter or patient that it names.

    ::

        holds = Holds()
        holds.add("export.ndjson:2", line)
        fault = holds.why("Encounter/e1", resources)    # None: nothing stands in its way
    """

    encounters: dict[str, str] = field(default_factory=dict)
    patients: dict[str, str] = field(default_factory=dict)
    any: str | None = None
    """Place of something that may belong to any encounter."""

    def add(self, place: str, text: bytes) -> None:
        """Take down a text that is no resource."""
        kind = _KIND.search(text)
        if kind is not None and kind[1].decode() not in CHARTED:
            return
        try:
            named = {key.decode() for key in _ENCOUNTER.findall(text)}
            patients = {key.decode() for key in _PATIENT.findall(text)}
        except UnicodeDecodeError:
            # A name that is garbled itself may be anybody's.
            named, patients = set(), set()
        self._hold(place, named, patients)

    def add_unnamed(self, place: str, resource: dict[str, Any]) -> None:
        """Take down an administration that does not say in which encounter it was given."""
        subject = subject_of(resource)
        self._hold(place, set(), set() if subject is None else {subject})

    def _hold(self, place: str, named: set[str], patients: set[str]) -> None:
        for key in named:
            self.encounters.setdefault(key, place)
        for key in patients if not named else ():
            self.patients.setdefault(key, place)
        if not named and not patients and self.any is None:
            self.any = place

    def why(self, key: str, resources: Iterable[dict[str, Any]]) -> Fault | None:
        """Why the chart of an encounter cannot be judged; None: it may be, or there is none."""
        charted = [each for each in resources if each["resourceType"] in CHARTED]
        if not any(each["resourceType"] == "MedicationAdministration" for each in charted):
            return None
        where = next(filter(None, self._places(key, charted)), None)
        if where is None:
            return None
        problem = f"may lack a resource that could not be read ({where}) and may be of it"
        return Fault("the chart", problem, "mend that resource, or take it out")

    def _places(self, key: str, charted: Iterable[dict[str, Any]]) -> Iterable[str | None]:
        yield self.any
        yield self.encounters.get(key)
        for resource in charted:
            names = aliases(resource, None) if resource["resourceType"] == "Encounter" else ()
            yield from map(self.encounters.get, (*names, *encounter_keys(resource)))
            yield self.patients.get(subject_of(resource) or "")
