"""``GET /v1/rules`` and its kin: rules, one rule, payers, policies, codes and examples.

Everything is drawn from the pack, which no request changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from ivpush.authoring.catalogue import case_rows, payer_changes, room_of
from ivpush.authoring.pages import values_of
from ivpush.errors import Fault
from ivpush.pack.folder import rules_folder
from ivpush.readers.tables.maps import map_names
from ivpush.web.asked import asked_of
from ivpush.web.problems import RefusedError
from ivpush.web.service import service_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from ivpush.pack.pack import Pack
    from ivpush.pack.policies import Policy
    from ivpush.pack.rule import Rule

__all__ = ["codes", "examples", "maps", "payers", "policies", "rule", "rules"]

_NOTHING = frozenset[str]()


async def rules(request: Request) -> Response:
    """Every rule of the pack, payers' own among them, in the order of ids."""
    asked_of(request, _NOTHING)
    pack = service_of(request).pack
    every = sorted(pack.every_rule, key=lambda each: each.id)
    return JSONResponse({"rules": [_summary(each) for each in every]})


async def rule(request: Request) -> Response:
    """One rule by id or name, with its sources and cases."""
    asked_of(request, _NOTHING)
    pack = service_of(request).pack
    named = pack.rules_by_word.get(request.path_params["id"])
    if named is None:
        fault = Fault("id", "is no rule of this pack", "GET /v1/rules lists them")
        raise RefusedError(HTTPStatus.NOT_FOUND, fault)
    return JSONResponse(_whole(named, pack))


async def payers(request: Request) -> Response:
    """The payers' overlays, and what each changes."""
    asked_of(request, _NOTHING)
    pack = service_of(request).pack
    listed = [
        {
            "id": payer.id,
            "title": payer.title,
            "changes": [change.removeprefix("- ") for change in payer_changes(payer, pack)],
            "cites": sources_of(payer.cites, pack),
        }
        for payer in sorted(pack.payers.values(), key=lambda payer: payer.id)
    ]
    return JSONResponse({"payers": listed})


async def policies(request: Request) -> Response:
    """The policies: what each may be set to, its default, and why sources differ."""
    asked_of(request, _NOTHING)
    pack = service_of(request).pack
    return JSONResponse({"policies": [_policy(each, pack) for each in pack.policies.values()]})


async def codes(request: Request) -> Response:
    """The codes of drug administration that the pack holds."""
    asked_of(request, _NOTHING)
    pack = service_of(request).pack
    listed = [
        {"code": row.code, "label": row.label, "settings": sorted(row.settings)}
        for row in pack.codes.values()
        if row.administration
    ]
    return JSONResponse({"codes": listed})


async def maps(request: Request) -> Response:
    """The shipped column maps, by which tables of other layouts are read."""
    asked_of(request, _NOTHING)
    return JSONResponse({"maps": list(map_names())})


async def examples(request: Request) -> Response:
    """The encounters that are shipped as examples, for who wants to try something."""
    asked_of(request, _NOTHING)
    return JSONResponse({"examples": _shipped_examples()})


@cache
def _shipped_examples() -> list[dict[str, Any]]:
    """Where they are beside the rules; a copy without its examples has none."""
    files = sorted((rules_folder().parent / "examples").glob("*.json"))
    return [{"name": file.stem, "encounter": json.loads(file.read_bytes())} for file in files]


def _summary(each: Rule) -> dict[str, Any]:
    return {
        "id": each.id,
        "name": each.name,
        "title": each.title,
        "room": room_of(each),
        "severity": each.severity,
        "disposition": each.disposition,
    }


def _whole(each: Rule, pack: Pack) -> dict[str, Any]:
    return {
        **_summary(each),
        "in_force": {
            "from": each.valid_from.isoformat(),
            "to": each.valid_to.isoformat() if each.valid_to else None,
        },
        "for_each": each.for_each,
        "codes": sorted(each.codes) if each.codes is not None else None,
        "when": each.texts.get("when"),
        "require": each.texts["require"],
        "message": each.texts["message"],
        "fix": each.texts["fix"],
        "why": each.why,
        "not_covered": each.not_covered,
        "carc": each.carc,
        "rarc": each.rarc,
        "cites": sources_of(each.cites, pack),
        "cases": case_rows(each),
    }


def sources_of(cites: Iterable[str], pack: Pack) -> list[dict[str, Any]]:
    """The sources that something cites, each with its address and the day it was read."""
    return [
        {
            "id": cite,
            "title": source.title,
            "publisher": source.publisher,
            "edition": source.edition,
            "url": source.url,
            "checked": source.checked.isoformat(),
        }
        for cite in cites
        for source in [pack.source(cite)]
    ]


def _policy(policy: Policy, pack: Pack) -> dict[str, Any]:
    default = policy.default
    return {
        "name": policy.name,
        "default": sorted(default) if isinstance(default, frozenset) else default,
        "form": policy.form,
        "values": list(policy.values),
        "says": values_of(policy),
        "touches": policy.touches,
        "why": policy.why,
        "cites": sources_of(policy.cites, pack),
    }
