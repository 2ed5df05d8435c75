"""The way it is done by hand: csv, hashlib, a set, protobuf, base64, zipfile. One core, no checks.

python bench/sample_script.py INPUT.csv COLUMN FOLDER
"""

import base64
import csv
import hashlib
import re
import sys
import zipfile
from pathlib import Path

from yuntu_push.proto import dmp_pb2

PHONE = re.compile(r"1[3-9]\d{9}")
IDS_PER_LINE = 10_000
IDS_PER_FILE = 216_000


def main(source: str, column: str, folder: str) -> None:
    """Write the zips and print how many ids they hold."""
    seen = set()
    with open(source, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            phone = row[column].strip().replace(" ", "").replace("-", "")
            phone = phone.removeprefix("+86")
            if PHONE.fullmatch(phone):
                seen.add(hashlib.sha256(phone.encode()).hexdigest())
    ids = list(seen)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, len(ids), IDS_PER_FILE)):
        chosen = ids[start : start + IDS_PER_FILE]
        with zipfile.ZipFile(f"{folder}/{number}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("ids.txt", b"".join(lines(chosen)))
    print(len(ids))


def lines(ids: list[str]) -> list[bytes]:
    """Lines of base64 of at most 10,000 ids."""
    made = []
    for start in range(0, len(ids), IDS_PER_LINE):
        message = dmp_pb2.DmpData()
        for value in ids[start : start + IDS_PER_LINE]:
            item = message.idList.add()
            item.dataType = dmp_pb2.IdItem.MOBILE_HASH_SHA256
            item.id = value
        made.append(base64.b64encode(message.SerializeToString()) + b"\n")
    return made


if __name__ == "__main__":
    main(*sys.argv[1:4])
