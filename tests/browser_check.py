"""A page in headless Chromium, at two widths in two themes: python -m tests.browser_check PAGE.html FOLDER.

It needs playwright and a Chromium (CHROMIUM=/usr/bin/chromium); the suite itself reads pages without a browser.
"""

import os
import shutil
import sys
from pathlib import Path

WIDTHS, THEMES = (400, 1400), ("light", "dark")


def faults_of(page, folder):
    """What the browser complains of, and what is wider than the window; pictures of it go to the folder."""
    from playwright.sync_api import sync_playwright

    found, chromium = [], os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width in WIDTHS:
            for theme in THEMES:
                tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
                tab.on("console", lambda said: found.append(f"console: {said.text}"))
                tab.on("pageerror", lambda error: found.append(f"error: {error}"))
                tab.on("request", lambda asked: asked.url.startswith(("file:", "data:"))
                       or found.append(f"network: {asked.url}"))
                tab.goto(Path(page).resolve().as_uri())
                over = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                if over > 0:
                    found.append(f"{over} pixels wider than {width}")
                tab.screenshot(path=f"{folder}/{Path(page).stem}-{width}-{theme}.png", full_page=True)
                tab.close()
        browser.close()
    return found


if __name__ == "__main__":
    os.makedirs(sys.argv[2], exist_ok=True)
    faults = faults_of(*sys.argv[1:3])
    sys.stdout.write("".join(f"{fault}\n" for fault in faults) or "no faults\n")
    sys.exit(bool(faults))
