# syntax=docker/dockerfile:1
# Build: docker build -t syncd .        (LOCK=requirements-fast.lock: the faster phone parser)
# Run:   docker run -v ./config.toml:/etc/syncd/config.toml:ro -v syncd:/var/lib/syncd syncd
#        with [ledger] url = "sqlite:////var/lib/syncd/syncd.db", or a PostgreSQL URL;
#        the first time `docker run … syncd init` makes the ledger.

FROM python:3.13-slim AS builder
ARG LOCK=requirements.lock
WORKDIR /src
# The lock first: a change of our own code does not install the world again.
COPY .ci/install .ci/install
COPY requirements*.lock ./
RUN LOCK="$LOCK" sh .ci/install locked /opt/venv
COPY . .
RUN sh .ci/install wheel /opt/venv

FROM python:3.13-slim
LABEL org.opencontainers.image.title="syncd" \
      org.opencontainers.image.description="New leads into an outbound-call campaign, exactly once, at a permitted hour" \
      org.opencontainers.image.licenses="MIT"
# A fixed number, so that a volume's owner can be set from outside.
RUN groupadd --system --gid 10001 syncd \
    && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/syncd --shell /usr/sbin/nologin syncd \
    && install --directory --owner=syncd --group=syncd --mode=0750 /var/lib/syncd
COPY --from=builder /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SYNCD_CONFIG=/etc/syncd/config.toml
USER 10001:10001
WORKDIR /var/lib/syncd
VOLUME /var/lib/syncd
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=10s --start-period=30s --retries=3 \
    CMD ["syncd", "status", "--check"]
ENTRYPOINT ["syncd"]
CMD ["run"]
