"""A real browser on the workbench: by keyboard alone, and no request leaves this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_MOST_TABS = 250


def why_no_browser() -> str:
    """What is missing for a test in a browser; empty where nothing is."""
    if find_spec("playwright") is None:
        return "playwright is not installed"
    return "" if CHROMIUM else "there is no chromium on the path: apt-get install chromium"


needs_browser = pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser() or "it is here")


@contextmanager
def started() -> Iterator[Browser]:
    """A browser, closed afterwards."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(FLAGS))
        yield browser
        browser.close()


def tab_to(page: Page, selector: str, *, back: bool = False, most: int = _MOST_TABS) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(most):
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    pytest.fail(f"{selector} cannot be reached by Tab")


class Visitor:
    """A person at the workbench, who has a keyboard and looks for what goes wrong.

    ``faults`` gathers errors of the page, refusals of its policy, dialogs, and requests to other
    machines, which are not let through.
    """

    def __init__(self, browser: Browser, home: str, **options: Any) -> None:
        self.home, self.faults = home, list[str]()
        self.context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 900}, **options}
        )
        self.context.route("**/*", self._admit)
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda told: self._hear(told.type, told.text))
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.file = ""
        """What is chosen when the page asks for a file."""
        self.page.on("filechooser", lambda chooser: chooser.set_files(self.file))
        self.page.on("dialog", self._shut)

    def _shut(self, dialog: Any) -> None:
        self.faults.append("dialog")
        dialog.dismiss()

    def _admit(self, route: Any) -> None:
        if route.request.url.startswith((self.home, "blob:", "data:")):
            route.continue_()
        else:
            self.faults.append(f"request: {route.request.url}")
            route.abort()

    def _hear(self, kind: str, text: str) -> None:
        # A chart that cannot be checked yet is answered by 422, which the browser notes.
        if kind in {"error", "warning"} and "status of 422" not in text:
            self.faults.append(f"{kind}: {text}")

    def open(self, path: str = "/") -> None:
        """Open the page and wait until it says how it stands."""
        self.page.goto(self.home + path)
        self.page.wait_for_selector("#status:not(:empty)")

    def close(self) -> None:
        """Close all, and fail where anything went wrong."""
        self.context.close()
        assert self.faults == []

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def tab_to(self, selector: str, *, back: bool = False) -> None:
        """Press Tab until an element has the focus."""
        tab_to(self.page, selector, back=back)

    def tab_to_label(self, label: str, number: int = 0) -> None:
        """Press Tab until the field with a label has the focus, of several the one so far down."""
        id_ = self.page.get_by_label(label, exact=True).nth(number).get_attribute("id")
        self.tab_to(f"#{id_}")

    def write(self, label: str, text: str, number: int = 0) -> None:
        """Write into a field, in place of what it held."""
        self.tab_to_label(label, number)
        self.press("Control+a")
        self.type(text)

    def choose(self, selector: str, letters: str) -> None:
        """Choose an option of a list by its first letters."""
        self.tab_to(selector)
        self.type(letters)

    def codes(self) -> list[str]:
        """The codes to bill, as they are shown."""
        return self.page.locator('[aria-label="Codes to bill"] .code').all_inner_texts()

    def until(self, script: str) -> None:
        """Wait until something is so."""
        self.page.wait_for_function(script, timeout=15_000)

    def until_codes(self, *codes: str) -> None:
        """Wait until these are the codes to bill."""
        self.page.wait_for_function(
            """codes => JSON.stringify([...document.querySelectorAll(
                '[aria-label="Codes to bill"] .code')].map(e => e.textContent)) === codes""",
            arg=str(list(codes)).replace("'", '"').replace(", ", ","),
            timeout=15_000,
        )

    def text_of(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()


def file_with(folder: Path, name: str, content: bytes) -> str:
    """The path of a new file."""
    file = folder / name
    file.write_bytes(content)
    return str(file)
