"""The first guide as a script: one file after the other. Settings come as JSON in a file."""

import ftplib
import io
import json
import shutil
import sys
import time
from pathlib import Path

import requests
from PIL import Image, ImageOps

settings = json.loads(Path(sys.argv[1]).read_text("utf-8"))
folder, processed = Path(settings["folder"]), Path(settings["processed"])
graph = f"{settings['graph_url']}/v25.0"
web = requests.Session()
web.headers["Authorization"] = f"Bearer {settings['token']}"
ftp = ftplib.FTP()
ftp.connect(settings["host"], settings["port"])
ftp.login(settings["user"], settings["password"])


def call(method: str, path: str, **fields: str) -> dict[str, str]:
    answer = web.request(method, f"{graph}/{path}", params=fields, timeout=30)
    answer.raise_for_status()
    return answer.json()  # type: ignore[no-any-return]


def convert(path: Path) -> io.BytesIO:
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGB")
    image.thumbnail((1440, 1800))
    if image.width / image.height < 0.8:  # Instagram takes no taller ones
        image = ImageOps.fit(image, (image.width, int(image.width / 0.8)))
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=90)
    jpeg.seek(0)
    return jpeg


processed.mkdir(exist_ok=True)
print(time.time(), flush=True)  # what Python and its imports took is not counted
for path in sorted(folder.iterdir()):
    if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp", ".gif"}:
        name = f"{path.stem}.jpg"
        ftp.storbinary(f"STOR {name}", convert(path))
        url = settings["public_url"] + name
        user = settings["account"]
        container = call("POST", f"{user}/media", image_url=url, caption=path.name)["id"]
        while call("GET", container, fields="status_code")["status_code"] != "FINISHED":
            time.sleep(1)
        call("POST", f"{user}/media_publish", creation_id=container)
        shutil.move(path, processed / path.name)
