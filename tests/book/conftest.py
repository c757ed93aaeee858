"""Fixtures: the built site, from the disk and by HTTP, and a browser."""

import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.book import browser as chromium

SITE = Path(__file__).parents[2] / "_build/html"


def pages() -> list[str]:
    """Every page of the site, as a path relative to it."""
    return sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))


@pytest.fixture(scope="session")
def site() -> Path:
    assert (SITE / "index.html").exists(), "the book is not built: run `make book`"
    return SITE


class SilentHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def copyfile(self, source: Any, outputfile: Any) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a tab may close before it has all
            super().copyfile(source, outputfile)


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """The local address at which the site is served by HTTP."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(SilentHandler, directory=str(site))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium.installed(), args=chromium.ARGUMENTS)
        yield running
        running.close()
