"""Asks a server whether it lets us in: of a refusal the client library tells nothing but a time-out."""

from __future__ import annotations

import socket
import ssl
import struct
from contextlib import suppress

from minionize.engine import EngineError, NotConnected
from minionize.pulsarclient.wire import fields, number, text

__all__ = ["knock", "trust"]

PORTS = {"pulsar": 6650, "pulsar+ssl": 6651}
_PATIENCE = 3.0
_CONNECT, _CONNECTED, _ERROR = 2, 3, 14  # types of commands, and the field in which each is
_REFUSED = (3, 4)  # errors of authentication and authorization
_PROTOCOL = 19
_LARGEST = 65_536


def knock(url: str, token: str, ca: str) -> None:
    """Say hello to the first server that answers.

    Args:
        url: Where servers are, as a service URL without a path.
        token: What lets us in; "" for none.
        ca: A PEM file of the CA that has signed their certificates; "" for those that are known.

    Raises:
        NotConnected: None does, or not now.
        EngineError: It is not trusted, or does not let us in.
    """
    scheme, _, rest = url.partition("://")
    hosts = rest.split(",")
    for each in hosts:
        try:
            return _knock(scheme, each, token, ca)
        except NotConnected:
            if each is hosts[-1]:
                raise


def trust(ca: str) -> ssl.SSLContext:
    """Make what checks a server's certificate.

    Raises:
        EngineError: The file of the CA cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise EngineError(f"PULSAR_CA: {ca} is no PEM file that can be read: {error}") from error


def _knock(scheme: str, host: str, token: str, ca: str) -> None:
    place = f"{scheme}://{host}"
    name, _, port = host.rpartition(":") if host.rpartition(":")[2].isdecimal() else (host, "", PORTS[scheme])
    try:
        with socket.create_connection((name.strip("[]"), int(port)), _PATIENCE) as connection:
            if scheme.endswith("+ssl"):
                with trust(ca).wrap_socket(connection, server_hostname=name.strip("[]")) as secured:
                    answer = _ask(secured, token)
            else:
                answer = _ask(connection, token)
    except ssl.SSLCertVerificationError as error:
        raise EngineError(f"{place} is not trusted: {error.verify_message}; name its CA in PULSAR_CA") from error
    except ssl.SSLError as error:
        raise NotConnected(f"{place} does not speak TLS as it should: {error.reason}; is it pulsar://?") from error
    except (OSError, UnicodeError) as error:
        raise NotConnected(
            f"{place} cannot be reached: {error}; check PULSAR_CONNECTION, and whether the server runs"
        ) from error
    _judge(answer, place)


def _ask(connection: socket.socket, token: str) -> bytes:
    hello = text(1, b"minionize") + number(4, _PROTOCOL)
    if token:
        hello += text(3, token.encode()) + text(5, b"token")
    command = number(1, _CONNECT) + text(_CONNECT, hello)
    connection.settimeout(_PATIENCE)
    connection.sendall(struct.pack(">II", len(command) + 4, len(command)) + command)
    data = b""
    while len(data) < 8 or len(data) < 8 + struct.unpack(">II", data[:8])[1] < _LARGEST:
        more = connection.recv(4096)
        if not more:
            break
        data += more
    return data[8:]


def _judge(answer: bytes, place: str) -> None:
    with suppress(ValueError):
        command = fields(answer)
        error = command.get(_ERROR)
        if isinstance(error, bytes):
            refusal = fields(error)
            words = refusal.get(3, b"")
            why = words.decode(errors="replace") if isinstance(words, bytes) else ""
            if refusal.get(2) in _REFUSED:
                raise EngineError(f"{place} does not let us in: {why or 'no reason given'}; check PULSAR_TOKEN")
            raise NotConnected(f"{place} is not ready: {why}")
        if 1 in command:
            return
    raise NotConnected(f"{place} does not answer as Pulsar does; is it pulsar+ssl://?")
