# The reading service on an NVIDIA GPU: inference.Dockerfile with onnxruntime-gpu in onnxruntime's place (both own one
# folder, so no image may hold the two), and CUDA and cuDNN from the same pinned list. It runs on a machine with
# NVIDIA's driver and container toolkit:
#   docker build -t lipsol-inference-gpu:0.1.0 -f docker/inference-gpu.Dockerfile .
#   docker run --gpus all -p 8081:8081 -p 8091:8091 lipsol-inference-gpu:0.1.0
# Where the GPU can't be had it does not start: nothing is read on the CPU in silence.
FROM docker.io/library/python:3.11-slim-bookworm AS packages

COPY requirements/gpu.txt docker/slim.py docker/sbom.py /build/
RUN python -m venv /opt/lipsol \
    && /opt/lipsol/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --no-deps --only-binary=:all: --require-hashes -r /build/gpu.txt \
    && /opt/lipsol/bin/python -m pip uninstall --quiet --disable-pip-version-check --yes pip setuptools \
    && /opt/lipsol/bin/python /build/slim.py inference-gpu /opt/lipsol \
    && /opt/lipsol/bin/python /build/sbom.py lipsol-inference-gpu >/build/sbom.cdx.json

FROM docker.io/library/python:3.11-slim-bookworm

# The base's own packages, pip among them, are not for running a service.
RUN rm -rf /usr/local/lib/python3.11/site-packages/* /usr/local/lib/python3.11/ensurepip /usr/local/bin/pip* \
        /usr/lib/python3/dist-packages /usr/lib/python3.11/ensurepip /usr/share/python-wheels /usr/bin/pip* \
    && groupadd --gid 10001 lipsol \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin lipsol \
    && install --directory --owner lipsol --group lipsol --mode 0700 /var/lib/lipsol

ENV PATH=/opt/lipsol/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/srv/lipsol \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility LIPSOL_INFERENCE__PROVIDER=cuda
COPY --from=packages /opt/lipsol /opt/lipsol
COPY --from=packages /build/sbom.cdx.json /srv/lipsol/
WORKDIR /srv/lipsol
COPY lipsol/ lipsol/
COPY services/ services/
COPY models/ models/
RUN python -m compileall -q lipsol services

ARG REVISION=unknown
LABEL org.opencontainers.image.title="lipsol-inference-gpu" \
      org.opencontainers.image.description="LipSol's reading service: reads mouths on an NVIDIA GPU" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0"

USER 10001:10001
# HTTP, gRPC, metrics
EXPOSE 8081 8091 9465
HEALTHCHECK --interval=5s --timeout=5s --retries=3 --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8081/readyz', timeout=4)"]
ENTRYPOINT ["python", "-m", "services"]
CMD ["inference"]
