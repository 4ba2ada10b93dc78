# The app on your own server; compose.yaml beside this file runs it. EXTRAS=liveportrait adds what an NVIDIA GPU needs.
ARG BASE=python:3.12-slim
FROM ${BASE}

# Everything that is to outlive the container, results and downloaded weights, lies in the volume.
ENV PYTHONUNBUFFERED=1 \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    GAZE_STORE=/data/sessions \
    HF_HOME=/data/huggingface
RUN useradd --uid 1000 --create-home gaze && install --directory --owner=gaze /data
VOLUME /data

WORKDIR /app
COPY . .
ARG EXTRAS=
RUN python -m pip install --no-cache-dir --editable ".${EXTRAS:+[$EXTRAS]}" --constraint constraints.txt

USER gaze
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(web.Request(f'http://127.0.0.1:{os.environ[\"GRADIO_SERVER_PORT\"]}/gradio_api/run/health', b'{\"data\": []}', {'Content-Type': 'application/json'}), timeout=9)"]
# Gradio ends tidily when it is interrupted.
STOPSIGNAL SIGINT
CMD ["python", "app.py"]
