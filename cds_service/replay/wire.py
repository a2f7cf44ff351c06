"""Speaks to a running CDS service over HTTP, as an electronic record would."""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

from cds_service.replay.fixtures import Answer


class Unreachable(Exception):
    """The service could not be spoken to; the message says which and why."""


@dataclass(frozen=True)
class Remote:
    """A CDS service by its base URL; `token` is sent as the client's JWT where one is given. Seconds count for each call."""

    url: str
    token: str | None = field(default=None, repr=False)
    seconds: float = 10.0

    def discovery(self) -> list[dict[str, Any]]:
        """The services that it declares."""
        answer = self._send("GET", "/cds-services", None)
        services = answer.body.get("services") if isinstance(answer.body, dict) else None
        if answer.status != 200 or not isinstance(services, list):
            raise Unreachable(f"{self.url}/cds-services answered {answer.status} without a list of services")
        return services

    def call(self, service: str, body: bytes) -> Answer:
        """One call of a service."""
        return self._send("POST", f"/cds-services/{service}", body)

    def _send(self, method: str, path: str, body: bytes | None) -> Answer:
        place = urlsplit(self.url)
        if place.scheme not in {"http", "https"} or not place.hostname:
            raise Unreachable(f"{self.url!r} is not a URL such as http://127.0.0.1:8080")
        headers = {"Accept": "application/json", **({"Content-Type": "application/json"} if body is not None else {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = _connection(place.scheme, place.hostname, place.port, self.seconds)
        try:
            connection.request(method, place.path.rstrip("/") + path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, _parsed(response.read()))
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{self.url} cannot be reached: {str(error) or type(error).__name__}") from error
        finally:
            connection.close()


def _connection(scheme: str, host: str, port: int | None, seconds: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=seconds, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=seconds)


def _parsed(text: bytes) -> Any:
    """The body as JSON, or a note that it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return {"not JSON": text[:200].decode("utf-8", "replace")}


def service_for(services: list[dict[str, Any]] | list[Mapping[str, Any]], hook: str) -> str | None:
    """The id of the only service that answers a hook; None where there is none or more than one."""
    found = [str(one.get("id")) for one in services if one.get("hook") == hook]
    return found[0] if len(found) == 1 else None
