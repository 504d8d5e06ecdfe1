# The environment of the lock file and the workflow in one image:
#   docker build --tag closure .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD/results:/study/results" closure --cores 2
FROM python:3.11-slim-bookworm
WORKDIR /study
COPY envs/requirements.lock envs/requirements.lock
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r envs/requirements.lock
COPY envs/outside.lock envs/outside.lock
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --target .venv/outside --require-hashes -r envs/outside.lock
COPY Snakefile ./
COPY config config
COPY envs envs
COPY profiles profiles
COPY workflow workflow
# Whoever runs the image may write what Snakemake and Matplotlib remember.
RUN mkdir -m 777 .snakemake results && chmod 777 .
ENV HOME=/tmp
ENTRYPOINT ["snakemake"]
CMD ["--cores", "all"]
