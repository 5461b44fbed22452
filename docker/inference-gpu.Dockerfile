# The reading service on an NVIDIA GPU: docker/Dockerfile with onnxruntime-gpu in onnxruntime's place (both own one
# folder, so no image may hold the two), and CUDA and cuDNN from the same pinned list. It runs on a machine with
# NVIDIA's driver and container toolkit:
#   docker build -t lipsol-inference-gpu:dev -f docker/inference-gpu.Dockerfile .
#   docker run --gpus all -p 8081:8081 -p 8091:8091 lipsol-inference-gpu:dev
# Where the GPU can't be had it does not start: nothing is read on the CPU in silence.
FROM docker.io/library/python:3.11-slim-bookworm AS packages

COPY requirements/gpu.txt /tmp/gpu.txt
RUN python -m venv /opt/lipsol \
    && /opt/lipsol/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --no-deps --only-binary=:all: --require-hashes -r /tmp/gpu.txt

FROM docker.io/library/python:3.11-slim-bookworm

RUN groupadd --gid 10001 lipsol \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin lipsol \
    && install --directory --owner lipsol --group lipsol --mode 0700 /var/lib/lipsol
COPY --from=packages /opt/lipsol /opt/lipsol

ENV PATH=/opt/lipsol/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/srv/lipsol \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    LIPSOL_INFERENCE__PROVIDER=cuda

WORKDIR /srv/lipsol
COPY lipsol/ lipsol/
COPY services/ services/
COPY models/ models/
RUN python -m compileall -q lipsol services

USER 10001:10001
# HTTP, gRPC, metrics
EXPOSE 8081 8091 9465
ENTRYPOINT ["python", "-m", "services"]
CMD ["inference"]
