"""The bundle of the shipped rules: it judges as the YAML does, and what is odd in it is refused."""

from __future__ import annotations

import json
import pickle
from dataclasses import astuple
from pathlib import Path

import pytest

from ivpush import Encounter, Engine, Pack, PackError
from ivpush.pack import bundle as bundles
from ivpush.pack.bundle import bundle_of, read_bundle
from ivpush.pack.folder import key_of, rules_folder
from ivpush.pack.rule import Rule
from ivpush.testing.samples import encounters
from tests.shipped import PACK

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def raw() -> bytes:
    """The bundle of the shipped rules."""
    return bundle_of(rules_folder())


@pytest.fixture(scope="module")
def bundled(raw: bytes) -> Pack:
    """The shipped pack of its bundle, as ``Pack.shipped`` makes it where one is installed."""
    held = read_bundle(raw)
    origin = [PACK.layers[0]]
    return Pack([held.layer], key_of([held.digest]), origin, checked=True)


def test_a_bundled_pack_says_and_judges_what_the_yaml_does(bundled: Pack) -> None:
    assert bundled.layers == PACK.layers and bundled.digest == PACK.digest
    examples = [json.loads(file.read_text("utf-8")) for file in (ROOT / "examples").glob("*.json")]
    of_yaml = Engine("premera", pack=PACK)
    of_bundle = pickle.loads(pickle.dumps(Engine("premera", pack=bundled)))
    for record in (*encounters(7, 6, engine=of_yaml), *examples):
        encounter = Encounter.model_validate(record)
        wanted = of_yaml.check(encounter, coverage=True).to_json()
        assert of_bundle.check(encounter, coverage=True).to_json() == wanted


def test_every_text_and_table_of_a_bundle_can_be_read(bundled: Pack) -> None:
    """What is read when it is asked for is what was checked before."""
    for held, rule in zip(bundled.every_rule, PACK.every_rule, strict=True):
        assert (held.id, held.texts, held.codes, held.cites) == (
            rule.id,
            rule.texts,
            rule.codes,
            rule.cites,
        )
        # A text of the rule that could not be read would raise.
        assert _looked_up(held) == _looked_up(rule)
        otherwise = held.words.get().fix_otherwise
        assert (otherwise is None) == (rule.words.get().fix_otherwise is None)
    for kind, releases in PACK.releases.items():
        rows = [(release.day, release.rows) for release in releases]
        assert [(release.day, release.rows) for release in bundled.releases[kind]] == rows
    drugs, shipped = bundled.data.drugs, PACK.data.drugs
    assert drugs.keys() == shipped.keys()
    assert [*map(astuple, drugs.values())] == [*map(astuple, shipped.values())]


def _looked_up(rule: Rule) -> list[tuple[str, tuple[object, ...]]]:
    return [(scope, astuple(fact)) for scope, fact in rule.judgement.get().looked_up]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[:-1],
        lambda raw: raw.replace(b"therapeutic", b"chemotherapy", 1),
        lambda raw: raw.replace(b"ivpush-bundle 1", b"ivpush-bundle 2", 1),
        lambda raw: b"",
    ],
)
def test_a_spoilt_bundle_is_refused(spoil: object, raw: bytes) -> None:
    assert callable(spoil)
    with pytest.raises(PackError, match="install ivpush anew"):
        read_bundle(spoil(raw))


def test_a_checkout_reads_its_yaml_even_beside_a_bundle(
    raw: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / bundles.NAME).write_bytes(raw)
    monkeypatch.setattr(bundles, "package_folder", lambda: tmp_path)
    assert bundles.bundle_file() is None
