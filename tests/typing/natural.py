"""A user's program in the forms that one writes first: type checkers accept each of them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from ivpush import Administration, ClaimLine, Encounter, Engine, Result, Supervision

STARTED = datetime(2026, 3, 2, 10)

given = Administration(
    id="a1", drug="ondansetron", dose=4, dose_unit="mg", route="IV", method="push", start=STARTED
)
again = Administration(
    id="a2", hcpcs="J1885", dose=Decimal("15"), wasted=0.5, start="2026-03-02T10:05", stop=None
)
line = ClaimLine(number=1, code="96374", units=1, modifiers=["59"], charge=120)
other = ClaimLine(
    number=2,
    code="96375",
    units=1,
    modifiers=("59", "XS"),
    charge=19.5,
    date="2026-03-02",
    diagnosis_pointers=[1],
    administrations=["a2"],
)
numbered = [ClaimLine(number=n, code="96376", units=1) for n in range(3, 5)]

visit = Encounter(
    id="visit-7",
    setting="facility",
    date=date(2026, 3, 2),
    administrations=[given, again],
    lines=[line, other, *numbered],
    diagnoses=["R11.2"],
)
office = Encounter(
    id="visit-8",
    setting="professional",
    date="2026-03-02",
    start="2026-03-02T09:00",
    supervision=Supervision(level="direct", provider_present=True),
    administrations=(given,),
    lines=[{"number": 1, "code": "96374", "units": 1}],
)
nested = Encounter(
    id="visit-9",
    setting="facility",
    administrations=[{"id": "a1", "route": "IV", "start": STARTED, "dose": 4}],
    supervision={"level": "general"},
    lines=None,
)

result: Result = Engine(payer="medicare").check(visit)
amounts: list[Decimal] = [each.charge for each in visit.lines or () if each.charge is not None]
codes: list[str] = [each.code for each in result.suggested]
modifiers: tuple[str, ...] = line.modifiers
begun: datetime | None = again.start
first: ClaimLine | None = next(iter(office.lines or ()), None)
