"""``--healthy``: whether the minion of these settings works. For health checks of containers, which have no curl."""

from __future__ import annotations

import http.client

from minionize.errors import SettingsError
from minionize.settings import Settings

__all__ = ["is_healthy"]

_LOOPBACK = {None: "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
_PATIENCE = 5.0


def is_healthy(settings: Settings) -> tuple[bool, str]:
    """Ask the minion that listens at --host and --port.

    Returns:
        Whether it works, and what is known of it in words.

    Raises:
        SettingsError: The settings do not say where it listens.
    """
    host, port = settings.values["host"], settings.values["port"]
    if not port:
        raise SettingsError("--healthy asks the minion at --port (MINION_PORT); give both the same port")
    address = _LOOPBACK.get(host, host)
    where = f"port {port} of {address}"
    connection = http.client.HTTPConnection(address, port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/healthz", headers={"Connection": "close"})
        status = connection.getresponse().status
    except (OSError, ValueError, http.client.HTTPException) as error:
        return False, f"no minion answers at {where}: {error or type(error).__name__}"
    finally:
        connection.close()
    return status == 200, f"the minion at {where} {'works' if status == 200 else f'answers {status}'}"
