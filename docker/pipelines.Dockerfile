# The image of every step of a pipeline on a Kubeflow: it trains, on a GPU where the step is given one.
#   docker build -t lipsol-pipelines:0.1.0 -f docker/pipelines.Dockerfile .
# It needs no root, and writes to /tmp and to the volume at /var/lib/lipsol alone.
FROM docker.io/library/python:3.11-slim-bookworm AS packages

COPY requirements/pipelines.txt docker/slim.py docker/sbom.py /build/
# The list was resolved for this Python; a back-port in it says that it is for older ones. Two packages, pure Python,
# are published as sources alone.
RUN python -m venv /opt/lipsol \
    && /opt/lipsol/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --ignore-requires-python --no-deps --only-binary=:all: --no-binary=antlr4-python3-runtime,kfp-server-api \
        --require-hashes -r /build/pipelines.txt \
    && /opt/lipsol/bin/python -m pip uninstall --quiet --disable-pip-version-check --yes pip \
    && /opt/lipsol/bin/python /build/slim.py pipelines /opt/lipsol \
    && /opt/lipsol/bin/python /build/sbom.py lipsol-pipelines >/build/sbom.cdx.json

FROM docker.io/library/python:3.11-slim-bookworm

# The base's own packages, pip among them, are not for running a service.
RUN rm -rf /usr/local/lib/python3.11/site-packages/* /usr/local/lib/python3.11/ensurepip /usr/local/bin/pip* \
        /usr/lib/python3/dist-packages /usr/lib/python3.11/ensurepip /usr/share/python-wheels /usr/bin/pip* \
    && groupadd --gid 10001 lipsol \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin lipsol \
    && install --directory --owner lipsol --group lipsol --mode 0700 /var/lib/lipsol

ENV PATH=/opt/lipsol/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/srv/lipsol
COPY --from=packages /opt/lipsol /opt/lipsol
COPY --from=packages /build/sbom.cdx.json /srv/lipsol/
WORKDIR /srv/lipsol
COPY lipsol/ lipsol/
RUN python -m compileall -q lipsol

ARG REVISION=unknown
LABEL org.opencontainers.image.title="lipsol-pipelines" \
      org.opencontainers.image.description="LipSol's pipelines: trains, evaluates and promotes models" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0"

USER 10001:10001
# A step has no door that could be asked: Kubeflow watches its process.
HEALTHCHECK NONE
