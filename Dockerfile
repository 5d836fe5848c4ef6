FROM python:3.12-slim
WORKDIR /opt/tunewright
COPY pyproject.toml constraints.txt hatch_build.py README.md LICENSE ./
COPY web web
COPY src src
RUN pip install --no-cache-dir -c constraints.txt ".[demo]"
RUN useradd --create-home tunewright
USER tunewright
WORKDIR /work
ENTRYPOINT ["tunewright"]
CMD ["--help"]
