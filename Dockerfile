# mediawatch in a container (docs/how-to/docker.md). Build: docker compose build.
# Nothing is needed beside Python: FFmpeg and libheif come in wheels.
FROM python:3.11-slim AS build
WORKDIR /source
COPY requirements/run.txt requirements/run.txt
RUN python -m venv /opt/mediawatch \
 && /opt/mediawatch/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY . .
RUN /opt/mediawatch/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
# The user inside. With the number of a person outside, what it files is theirs; a volume of
# Docker's begins with the owner that its folder has here.
ARG UID=10001
COPY --from=build /opt/mediawatch /opt/mediawatch
RUN useradd --uid "$UID" --user-group --home-dir /var/lib/mediawatch --create-home mediawatch \
 && chmod 700 /var/lib/mediawatch \
 && install -d -o mediawatch -g mediawatch /media /media/download /media/processed /etc/mediawatch
ENV PATH=/opt/mediawatch/bin:$PATH \
    MEDIAWATCH_CONFIG=/etc/mediawatch/config.toml \
    MEDIAWATCH_STORAGE__DATA_DIR=/var/lib/mediawatch \
    MEDIAWATCH_WATCH__FOLDER=/media/download \
    PYTHONUNBUFFERED=1
USER mediawatch
VOLUME ["/media", "/var/lib/mediawatch"]
# The daemon drains within 45 s; what is cut off after that is gone on with at the next start.
STOPSIGNAL SIGTERM
# Red also when a person must act: for whoever looks. Restart by /healthz, if by anything.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8001/readyz', timeout=8)"]
ENTRYPOINT ["mediawatch"]
CMD ["run"]
