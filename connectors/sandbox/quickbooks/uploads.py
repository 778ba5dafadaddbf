"""Reading a multipart upload: records of files, and the files themselves."""

import base64
import binascii
import re
from typing import Any

import msgspec

from connectors.sandbox.http import Request
from connectors.sandbox.quickbooks.faults import QuickBooksFault

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_NAME = re.compile(r'name="file_(metadata|content)_(\w+)"')


def uploads(request: Request) -> list[tuple[dict[str, Any], bytes]]:
    """Each record with its file. Raises QuickBooksFault where the body is not as documented."""
    given = request.header("content-type")
    boundary = _BOUNDARY.search(given)
    if "multipart/form-data" not in given or boundary is None:
        raise QuickBooksFault("2010", "The body of an upload is multipart/form-data")
    records: dict[str, dict[str, Any]] = {}
    contents: dict[str, bytes] = {}
    mark = f"\r\n--{boundary[1]}".encode()
    for part in (b"\r\n" + request.body).split(mark)[1:]:
        if part.startswith(b"--"):
            break
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        header = head.decode("utf-8", "replace")
        name = _NAME.search(header)
        if name is None:
            raise QuickBooksFault("2010", "A part of the upload has no name that is known")
        try:
            if name[1] == "metadata":
                records[name[2]] = msgspec.json.decode(content, type=dict[str, Any])
            elif "base64" in header.lower():
                contents[name[2]] = base64.b64decode(content, validate=True)
            else:
                contents[name[2]] = content
        except (msgspec.MsgspecError, binascii.Error) as trouble:
            raise QuickBooksFault("2010", f"A part of the upload: {trouble}") from None
    if not contents:
        raise QuickBooksFault("2020", "Required parameter file_content is missing")
    return [(records.get(key, {}), content) for key, content in contents.items()]
