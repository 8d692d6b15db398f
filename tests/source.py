"""Which files the source is made of: those that git has or would take, or, in a copy without git, all there are."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Folders and endings of what tools leave behind, where git does not say so.
LEFT_BEHIND = (".venv", "__pycache__", "build", "dist", "out", ".hypothesis", ".pytest_cache", ".ruff_cache",
               ".ipynb_checkpoints", "_build", "generated", ".git")


def files_of_the_source() -> list[str]:
    """Paths from the root, in order; those in git of which there is no file any more are left out."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True)
        found = {name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()}
    except FileNotFoundError:  # there is no git
        found = set()
    if "setup.cfg" in found:
        return sorted(found)
    every = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return sorted(str(path) for path in every
                  if not any(part in LEFT_BEHIND or part.endswith(".egg-info") for part in path.parts))
