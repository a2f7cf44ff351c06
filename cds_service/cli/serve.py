"""`ndm-cds serve`: the service itself."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from cds_service.cases.examples import examples
from cds_service.cli import knowing
from cds_service.cli.config import CONFIG_OPTION
from cds_service.configuration import read_settings
from cds_service.settings import HOST, PORT
from cds_service.shipped import shipped

WORKERS, THREADS = 1, 8


@click.command(
    name="serve",
    epilog=(
        "\b\nExamples:\n  ndm-cds serve --dev\n  ndm-cds serve --config ndm-cds.toml --host 0.0.0.0 --workers 2\n"
        "  NDM_CDS_CONFIG=/etc/ndm-cds/ndm-cds.toml ndm-cds serve"
    ),
)
@CONFIG_OPTION
@click.option("--dev", is_flag=True, help="Development: no client token, http FHIR servers on loopback, any CORS origin, loopback only.")
@click.option("--host", default=HOST, show_default=True, help="Address to listen on.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(1, 65_535), help="Port to listen on.")
@click.option("--workers", default=WORKERS, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option(
    "--threads", default=THREADS, show_default=True, type=click.IntRange(1, 128), help="Requests under way at a time in each process."
)
@click.option(
    "--fhir-data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="With --dev: a folder of FHIR Bundles or NDJSON whose patients join the sandbox.",
)
@knowing.with_knowledge
def command(
    file: Path | None,
    dev: bool,
    host: str,
    port: int,
    workers: int,
    threads: int,
    fhir_data: Path | None,
    hooks: Path | None,
    overlay: Path | None,
) -> None:
    """Answer CDS Hooks calls until SIGTERM or Ctrl-C; calls under way are finished first.

    Without --dev at least one client must be registered, else the service refuses to start and says why (exit status 78). Put a
    proxy in front that ends TLS and buffers requests.
    """
    settings = read_settings(file, development=dev)
    settings = replace(settings, fhir_data=fhir_data or settings.fhir_data)
    from cds_service.web.serve import serve

    worked = partial(examples, shipped("fixtures"))
    serve(settings, (knowing.folder(hooks), knowing.site(overlay)), host, port, workers, threads, worked)
