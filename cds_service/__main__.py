"""`python -m cds_service` is `ndm-cds`."""

from cds_service.cli import main

main()
