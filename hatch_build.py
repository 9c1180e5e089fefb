"""The long description of ivpush for a package index, made from README.md when it is built.

An index shows no files beside the README, so that its links would lead nowhere. In their place
stand the command that prints the page from the installed package, or the path of the file in it.
Hatchling calls this by ``[tool.hatch.metadata.hooks.custom]`` of ``pyproject.toml``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

__all__ = ["LongDescription", "long_description"]

_LINK = re.compile(r"\[(?P<text>[^]]+)\]\((?![a-z]+:|#)(?P<path>[^)#]+)(?:#[^)]*)?\)")
"""A link to a file beside the README: it has no scheme, and is no heading of the page itself."""


class LongDescription(MetadataHookInterface):
    """Puts the long description into the metadata of a distribution."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in ``readme``, which ``pyproject.toml`` lists as dynamic."""
        text = (Path(self.root) / "README.md").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": long_description(text)}


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
