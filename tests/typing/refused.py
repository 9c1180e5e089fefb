"""Slips that a type checker must find: it complains of each mark here that it does not need.

Nobody runs this file as a whole; what it builds would raise InputError.
"""

from __future__ import annotations

from ivpush import Administration, ClaimLine, Encounter, Engine, Supervision

Administration(id="a1", drg="ondansetron")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Administration(drug="ondansetron")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Administration(id="a1", route="iv")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Administration(id="a1", dose="4")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Administration(id="a1", start=10)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Administration(id="a1", ordered="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
ClaimLine(number=1, code="96374")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
ClaimLine(number=1, code="96374", units=1, modifier=["59"])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
ClaimLine(number=1, code="96374", units=1, modifiers="59")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
ClaimLine(number=1, code="96374", units=1, modifiers={"59"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
ClaimLine(number="1", code="96374", units=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
ClaimLine(number=1, code=96374, units=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
ClaimLine(number=1, code="96374", units=1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Supervision(level="nearby")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Encounter(id="E1", setting="hospital")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Encounter(id="E1", settng="facility")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Encounter(id="E1", setting="facility", lines=["96374"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
Encounter(id="E1", setting="facility", lines=[{"number": 1, "cod": "96374", "units": 1}])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]

engine = Engine(payor="medicare")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
line = ClaimLine(number=1, code="96374", units=1)
line.units = 2  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
print(line.unit)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
line.modifiers.append("59")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
result = engine.check(line)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
result.status = "clean"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
print(result.severty)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
print(result.errors[0].severity == "eror")  # type: ignore[comparison-overlap]  # pyright: ignore[reportUnnecessaryComparison]
