# Builds wheels in one stage, from the locks with their hashes, and installs only these in the next: the image has no source
# and no build tools. docs/operations.md says how to renew the base images.
# The mount below needs BuildKit or buildah.
ARG BUILD_IMAGE=python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
ARG IMAGE=python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY requirements ./requirements
COPY service ./service
# Which locks of requirements/ to install: service, charts, table, tracing, or several; fast needs a BUILD_IMAGE with a compiler (python:3.13).
ARG LOCKS="service"
# The version, such as v1.2.3: the tag itself is not in the build's context.
ARG VERSION=""
RUN pip install --no-cache-dir --require-hashes -r requirements/build.txt \
    && for lock in ${LOCKS}; do \
        pip wheel --no-cache-dir --wheel-dir /wheels --no-build-isolation --require-hashes -r requirements/${lock}.txt \
        || exit 1; done \
    && SETUPTOOLS_SCM_PRETEND_VERSION="${VERSION#v}" pip wheel --no-cache-dir --wheel-dir /wheels --no-build-isolation --no-deps .

FROM ${IMAGE}
LABEL org.opencontainers.image.title="Metric Resource Service" \
      org.opencontainers.image.licenses="Apache-2.0"
# Compile the packages and, by running the service once, the modules of the standard library that it imports: the base has no
# bytecode for these, and with a read-only root each start would compile them again.
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    export PYTHONDONTWRITEBYTECODE=1 \
    && pip install --no-cache-dir --no-compile --no-index --no-deps /wheels/*.whl \
    && pip check \
    && packages=$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
    && find "$packages" -depth \
        \( -type d \( -name tests -o -name f2py -o -name distutils -o -name include \) -o -name '*.pyi' -o -name '*.a' \) -exec rm -r {} + \
    && python -m compileall -q -x /pip/ "$packages" \
    && PYTHONDONTWRITEBYTECODE='' metric-resource openapi >/dev/null \
    && useradd --system --no-log-init --uid 10001 --no-create-home --shell /usr/sbin/nologin service \
    && install -d -o service /data
USER 10001
ENV PYTHONUNBUFFERED=1 PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/livez', timeout=2)"]
ENTRYPOINT ["metric-resource"]
CMD ["serve"]
