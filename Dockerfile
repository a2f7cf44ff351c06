# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements-postgresql.lock ./
RUN python -m venv /opt/ndm-cds \
 && /opt/ndm-cds/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-postgresql.lock
COPY cds_service /opt/ndm-cds/app/cds_service
COPY hooks /opt/ndm-cds/app/hooks
COPY fixtures /opt/ndm-cds/app/fixtures
COPY docs/openapi.json /opt/ndm-cds/app/docs/openapi.json
# Byte code is written here, since the running container cannot write it: a start takes a third of the time.
RUN /opt/ndm-cds/bin/python -c "import pathlib, site; pathlib.Path(site.getsitepackages()[0], 'ndm-cds.pth').write_text('/opt/ndm-cds/app\n')" \
 && printf '#!/opt/ndm-cds/bin/python\nfrom cds_service.cli import main\n\nmain()\n' > /opt/ndm-cds/bin/ndm-cds \
 && chmod 755 /opt/ndm-cds/bin/ndm-cds \
 && /opt/ndm-cds/bin/pip uninstall --yes --quiet pip setuptools \
 && /opt/ndm-cds/bin/python -m compileall -q /opt/ndm-cds \
 && /opt/ndm-cds/bin/ndm-cds check --no-cases

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="ndm-cds" \
      org.opencontainers.image.licenses="Apache-2.0 AND CC-BY-4.0 AND OFL-1.1 AND MIT"
COPY --from=build /opt/ndm-cds /opt/ndm-cds
ENV PATH=/opt/ndm-cds/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# The only folder that is written to; mount a volume here, or name a PostgreSQL database.
RUN install -d -o 10001 -g 10001 /var/lib/ndm-cds
WORKDIR /var/lib/ndm-cds
VOLUME /var/lib/ndm-cds
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=2).read()"]
ENTRYPOINT ["ndm-cds"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
