"""What mkdocs does for these pages beyond its own: it takes the pictures of ``screenshots/`` along.

They stand beside ``docs/``, where README and repository browsers find them; in the site they stand among the pages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

FOLDER = "screenshots"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pictures."""
    for path in sorted(Path(config.config_file_path).with_name(FOLDER).glob("*.svg")):
        files.append(File.generated(config, f"{FOLDER}/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **given: Any) -> str:
    """Have pages that point to the repository's folder point to the site's."""
    return markdown.replace(f"](../../{FOLDER}/", f"](../{FOLDER}/")
