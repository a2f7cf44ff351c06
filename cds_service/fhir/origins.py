"""Which addresses may be called: a registered FHIR base and what lies below it, judged on the text alone, before any name is looked up."""

import ipaddress
import re
from collections.abc import Collection

LONGEST_BASE = 2_048
LONGEST_LINK = 8_192  # servers do send page links of more than 2 kB

_PARTS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?P<fragment>#.*)?", re.DOTALL
)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_~$.:@+=,-]+)*/?")
# Below a base a server may encode what it likes, but neither a dot nor a slash, a backslash, a percent sign
# or a control character; a semicolon begins what some servers cut off before they read the path, so that "..;" is ".." to them.
_ENCODED = r"%(?!2[EeFf5]|3[Bb]|5[Cc]|[01]|7[Ff])[0-9A-Fa-f]{2}"
_LINK_PATH = re.compile(rf"(?:/(?:[A-Za-z0-9_~$.:@!&'()*+,=|-]|{_ENCODED})+)*/?")
_LINK_QUERY = re.compile(r"\?[!-~]*")
_UNPRINTABLE = re.compile(r"[^!-~]")


def fault(url: object, schemes: Collection[str] = ("https",), *, query_allowed: bool = False) -> str | None:
    """Say in one word why this text cannot be the address of a server, or None if it can."""
    if not isinstance(url, str) or not url or len(url) > LONGEST_BASE:
        return "length"
    if _UNPRINTABLE.search(url) or "\\" in url:
        return "characters"
    parts = _PARTS.fullmatch(url)
    if parts is None:
        return "form"
    if parts["fragment"] is not None:
        return "fragment"
    if parts["query"] is not None and not query_allowed:
        return "query"
    if parts["scheme"] not in schemes:
        return "scheme"
    return _authority_fault(parts["authority"]) or _path_fault(parts["path"], _PLAIN_PATH)


def registered_base(url: str, bases: Collection[str], *, any_base: bool = False) -> str | None:
    """Give the address to call, without its last slash, if it is one of the registered bases or lies below one; else None.

    The comparison is byte for byte: an address that merely means the same (upper case, a default port, a final dot,
    another spelling of an IP address) is not the one that was registered. `any_base` is for the development mode only.
    """
    if fault(url, ("https", "http")) is not None:
        return None
    wanted = url.removesuffix("/")
    if any_base or any(_below(wanted, base.removesuffix("/")) for base in bases):
        return wanted
    return None


def within(link: object, base: str) -> bool:
    """Whether a page link or an absolute reference stays on the base's scheme, host, port and path."""
    if not isinstance(link, str) or not 0 < len(link) <= LONGEST_LINK:
        return False
    root = base.removesuffix("/")
    if not _below(link, root, after="/?"):
        return False
    path, mark, query = link[len(root) :].partition("?")
    if _path_fault(path, _LINK_PATH) is not None:
        return False
    return not mark or ("#" not in query and "\\" not in query and _LINK_QUERY.fullmatch(mark + query) is not None)


def host_of(url: str) -> str:
    """The host of an address in which `fault` found nothing, without port and brackets."""
    parts = _PARTS.fullmatch(url)
    authority = parts["authority"] if parts else ""
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


def origin_of(url: str) -> str:
    """Scheme, host and port of an address in which `fault` found nothing."""
    parts = _PARTS.fullmatch(url)
    return f"{parts['scheme']}://{parts['authority']}" if parts else ""


def is_loopback_http(url: str) -> bool:
    """Whether this is plain http to 127.0.0.1, the one such address that a test rig may use."""
    return url.startswith("http://") and host_of(url) == "127.0.0.1"


def _below(url: str, base: str, after: str = "/") -> bool:
    return url == base or (url.startswith(base) and url[len(base)] in after)


def _authority_fault(authority: str) -> str | None:
    if "@" in authority:
        return "userinfo"
    bracket = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::([^:]*))?", authority)
    host, port = (bracket[1], bracket[2]) if bracket else _split_port(authority)
    if port is not None and not (re.fullmatch(r"[1-9][0-9]{0,4}", port) and int(port) < 65_536):
        return "port"
    return _ipv6_fault(host) if bracket else _host_fault(host)


def _split_port(authority: str) -> tuple[str, str | None]:
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _host_fault(host: str) -> str | None:
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return "host"
    if not _NUMBER.fullmatch(labels[-1]):
        return None
    # A last label that is a number is read as an IPv4 address by resolvers, in many spellings; only the usual one passes.
    return None if _is_written_plainly(host, 4) else "host"


def _ipv6_fault(host: str) -> str | None:
    return None if _is_written_plainly(host, 6) else "host"


def _is_written_plainly(host: str, version: int) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    carries_ipv4 = isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None
    return address.version == version and str(address) == host and not carries_ipv4


def _path_fault(path: str, allowed: re.Pattern[str]) -> str | None:
    if not allowed.fullmatch(path):
        return "path"
    return "dot-segment" if {".", ".."} & set(path.split("/")) else None
