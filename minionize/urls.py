"""URLs of servers, for people to read: nothing secret is in them."""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["shown"]


def shown(url: str) -> str:
    """Write a URL without user, password and query; of what is no URL, the scheme at most."""
    scheme, slashes, _ = url.partition("://")
    if not slashes:
        return f"{url.partition(':')[0]}:..."
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return f"{scheme}://..."
    return f"{scheme}://{host}{port}{parts.path}"
