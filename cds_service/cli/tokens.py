"""`ndm-cds jwt`: why a client's token is refused, said to the operator and never to the caller."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from cds_service.cli import exits, knowing
from cds_service.cli.config import CONFIG_OPTION
from cds_service.cli.paper import columns, paint
from cds_service.configuration import read_settings
from cds_service.keysets import read_keyset
from cds_service.settings import Client, Settings
from cds_service.web.tokens import Reason, Refused, Token, claim_faults, client_of, header_faults, read_token

SHOWN = ("iss", "aud", "exp", "iat", "nbf", "jti", "sub", "tenant")
MEANINGS = {
    Reason.NO_TOKEN: "there is no token",
    Reason.MALFORMED: "it is not a JWT in three parts of base64url with JSON objects inside",
    Reason.ALGORITHM: "the header's alg is not among the client's algorithms",
    Reason.TYPE: "the header's typ is not JWT",
    Reason.OWN_KEY: "the header brings a key of its own (jwk, x5u or x5c)",
    Reason.CRITICAL: "the header asks for an extension (crit or b64)",
    Reason.KEY_ID: "the header has no kid",
    Reason.ISSUER: "no registered client has this iss",
    Reason.TENANT: "the client serves other tenants",
    Reason.KEY_URL: "the header's jku is not the registered jwks_url",
    Reason.AUDIENCE: "aud is not the URL of the endpoint, built from server.public_url",
    Reason.TIMES: "exp and iat must be numbers of seconds",
    Reason.EXPIRED: "it has expired",
    Reason.NOT_YET_VALID: "nbf lies in the future",
    Reason.ISSUED_IN_FUTURE: "iat lies in the future",
    Reason.LIFETIME: "exp lies more than an hour after iat, or before it",
    Reason.TOKEN_ID: "jti is missing or cannot be remembered",
    Reason.KEYS_UNAVAILABLE: "the client's keys cannot be had",
    Reason.UNKNOWN_KEY: "none of the client's keys has this kid",
    Reason.UNFIT_KEY: "the key does not fit the algorithm",
    Reason.SIGNATURE: "the signature is not of this key",
    Reason.REPLAYED: "it was used before",
}


@click.group(name="jwt")
def command() -> None:
    """Explain client tokens."""


@command.command(
    epilog=(
        "\b\nExamples:\n"
        "  ndm-cds jwt check eyJ… --service some-order-sign --config ndm-cds.toml\n"
        "  cat token.txt | ndm-cds jwt check - --service some-order-sign"
    )
)
@click.argument("token")
@click.option("--service", required=True, help="The id of the service that the token is sent to.")
@CONFIG_OPTION
def check(token: str, service: str, file: Path | None) -> None:
    """Say whether TOKEN (or - for standard input) would be let in, and if not, which claim is at fault.

    Signatures are checked against jwks_file only; nothing is fetched, and the token does not count as used.
    """
    settings = read_settings(file)
    text = knowing.text_of("-").decode("utf-8", "replace").strip() if token == "-" else token  # noqa: S105, standard input by custom
    reasons = list(faults(text, settings, f"/cds-services/{service}"))
    for reason, meaning in reasons:
        click.echo(f"{paint('refused', 'critical')} {reason}: {meaning}")
    if reasons:
        sys.exit(exits.DIFFERS)
    click.echo(paint("The token would be let in.", "good"))


def faults(text: str, settings: Settings, path: str) -> Iterator[tuple[str, str]]:
    """Every reason for which the service would refuse this token, with what it means."""
    try:
        token = read_token(text if " " in text else f"Bearer {text}")
    except Refused as refusal:
        yield refusal.reason, MEANINGS[refusal.reason]
        return
    for line in columns((name, str(token.claims[name])) for name in SHOWN if name in token.claims):
        click.echo(line)
    try:
        client = client_of(token, settings.clients)
    except Refused as refusal:
        known = ", ".join(one.issuer for one in settings.clients) or "none"
        yield refusal.reason, f"{MEANINGS[refusal.reason]}; registered: {known}"
        return
    audience = settings.audience(path)
    found = [*header_faults(token.header, client), *claim_faults(token.claims, {audience, *client.audiences}, knowing.now().timestamp())]
    for reason in found:
        yield reason, MEANINGS[reason] + (f", here {audience}" if reason is Reason.AUDIENCE else "")
    if not found:
        yield from _signature(token, client)


def _signature(token: Token, client: Client) -> Iterator[tuple[str, str]]:
    """Whether a key of the client's file made the signature."""
    if client.jwks_file is None:
        click.echo("The signature was not checked: the client's keys are at a URL.", err=True)
        return
    import jwt

    keys = [one for one in read_keyset(client.jwks_file.read_bytes()).keys if one.kid == token.header["kid"]]
    algorithm = token.header["alg"]
    if not keys:
        yield Reason.UNKNOWN_KEY, MEANINGS[Reason.UNKNOWN_KEY]
        return
    fitting = [one for one in keys if one.fits(algorithm)]
    if len(fitting) != 1:
        yield Reason.UNFIT_KEY, MEANINGS[Reason.UNFIT_KEY]
        return
    try:
        jwt.PyJWS().decode_complete(token.text, fitting[0].for_algorithm(algorithm), algorithms=[algorithm])
    except jwt.PyJWTError:
        yield Reason.SIGNATURE, MEANINGS[Reason.SIGNATURE]
