"""A real browser for tests of pages; a machine without one skips them and says why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["Watched", "launched", "violations_of"]

# As root no sandbox can be made; the others keep the browser from asking anything of the network.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, headless=True, args=list(_ARGUMENTS)
        )
        yield browser
        browser.close()


class Watched:
    """A page of its own, and everything that it must not do: what it said, asked for and refused.

    ``faults`` gathers dialogs, errors, reports of its policy and requests for anything but files
    of this machine; requests are counted and none is let out.
    """

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.faults: list[str] = []
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.context.route("**/*", self._asked)
        self.page.on("dialog", self._dialog)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("console", lambda said: self.faults.append(f"{said.type}: {said.text}"))

    def _asked(self, route: Any) -> None:
        if route.request.url.startswith(("file:", "http://127.0.0.1")):
            route.continue_()
            return
        self.faults.append(f"request: {route.request.url}")
        route.abort()

    def _dialog(self, dialog: Any) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()


def violations_of(page: Page) -> list[str]:
    """What axe holds against a page, a line each."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    found: dict[str, Any] = axe.Axe().run(page).response
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
