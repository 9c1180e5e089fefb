"""What the build of ivpush makes: the long description, and the bundle of the rules in a wheel.

A package index shows no files beside the README, so that its links would lead nowhere. In their
place stand the command that prints the page from the installed package, or the path of the file in
it. The bundle is the rules as one file, which starts fast: made of the YAML after the pack was
checked whole. Hatchling calls both by ``[tool.hatch...hooks.custom]`` of ``pyproject.toml``.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

__all__ = ["LongDescription", "RulesBundle", "long_description"]

_LINK = re.compile(r"\[(?P<text>[^]]+)\]\((?![a-z]+:|#)(?P<path>[^)#]+)(?:#[^)]*)?\)")
"""A link to a file beside the README: it has no scheme, and is no heading of the page itself."""


class LongDescription(MetadataHookInterface):
    """Puts the long description into the metadata of a distribution."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in ``readme``, which ``pyproject.toml`` lists as dynamic."""
        text = (Path(self.root) / "README.md").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": long_description(text)}


class RulesBundle(BuildHookInterface[Any]):
    """Puts the bundle of the rules into a wheel; a checkout reads its YAML and gets none."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Check the pack whole and bundle it; the build fails where its rules are not fit."""
        if self.target_name != "wheel" or version == "editable":
            return
        self._folder = tempfile.mkdtemp()
        file = Path(self._folder) / "rules.bundle"
        file.write_bytes(_bundle(Path(self.root)))
        file.chmod(0o644)
        build_data["force_include"][str(file)] = f"ivpush/{file.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take the file away again."""
        if folder := getattr(self, "_folder", None):
            shutil.rmtree(folder)


def _bundle(root: Path) -> bytes:
    """The bundle of the rules of a source tree, by the code of that tree."""
    sys.path.insert(0, str(root / "src"))
    sys.dont_write_bytecode = True  # a build leaves the tree as it is
    from ivpush.pack.bundle import NAME, bundle_of, read_bundle  # noqa: PLC0415
    from ivpush.pack.pack import Pack  # noqa: PLC0415

    pack, raw = Pack.load(root / "rules"), bundle_of(root / "rules")
    if read_bundle(raw).digest != pack.layers[0].hash:
        raise ValueError("the rules changed while they were bundled; build again")
    # Whoever left one there may have made it of other rules.
    stray = root / "src/ivpush" / NAME
    if stray.exists() and stray.read_bytes() != raw:
        raise ValueError(f"{stray} is made of other rules than rules/ holds; delete it")
    return raw


def long_description(text: str) -> str:
    """A page without links to files beside it."""
    return _LINK.sub(_named, text)


def _named(link: re.Match[str]) -> str:
    """What a link says, with the command that prints its page, or the path of its file."""
    text, path = link["text"].strip("`"), link["path"]
    if not path.endswith(".md"):
        return f"{text} (`{path}`)"
    page = path.removesuffix(".md").removeprefix("docs/").lower().removesuffix("/readme")
    return f"{text} (`ivpush docs {page}`)"
