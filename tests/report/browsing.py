"""A report in a real browser: what it says, asks for and refuses is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["Watched", "violations_of"]


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
        if route.request.url.startswith("file:"):
            route.continue_()
            return
        self.faults.append(f"request: {route.request.url}")
        route.abort()

    def _dialog(self, dialog: Any) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()


def violations_of(page: Page) -> list[str]:
    """What axe holds against a page, a line each."""
    from axe_playwright_python.sync_playwright import Axe

    heard: dict[str, Any] = Axe().run(page).response
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in heard["violations"]
        for node in each["nodes"]
    ]
