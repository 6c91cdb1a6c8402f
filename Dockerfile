# One image for web, workers and beat; what it runs is the command of the service.
FROM python:3.13-slim-bookworm AS build
WORKDIR /app
COPY requirements-uv.lock requirements.lock ./
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements-uv.lock \
 && /venv/bin/uv pip sync --no-cache --python /venv --require-hashes requirements.lock
COPY . .
RUN /venv/bin/pybabel compile -d locale -D django \
 && SECRET_KEY=only-while-the-image-is-built-0123456789abcdef SIGNING_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    PUBLIC_BASE_URL=https://build.invalid ALLOWED_HOSTS=build.invalid DATABASE_URL=postgres://build@build/build \
    REDIS_URL=redis://build EMAIL_URL=smtp://build DEFAULT_FROM_EMAIL=build@build.invalid \
    VAR_DIR=/app/var /venv/bin/python manage.py collectstatic --noinput

FROM python:3.13-slim-bookworm
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-core fonts-noto-cjk curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /app relais
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build --chown=relais /app /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 VAR_DIR=/app/var
# Here and not above: the printed tickets need the libraries of this stage.
RUN DEMO=1 VAR_DIR=/tmp/var python manage.py check
USER 10001
EXPOSE 8000
# By the portal's own name: it answers to no other.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["sh", "-c", "curl -fsS -H \"Host: ${ALLOWED_HOSTS%%,*}\" http://127.0.0.1:8000/healthz"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "4", "--no-access-log", "portal.wsgi:application"]
