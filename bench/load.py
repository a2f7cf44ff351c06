"""Load over HTTP with wrk: one connection for the cost of a request, sixteen for what a queue does to it."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("{body}", "rb")
wrk.body = file:read("*all")
file:close()
"""
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Load:
    """Requests a second, and milliseconds at the median and the 99th percentile; `failed` are answers other than 2xx."""

    rate: float
    p50: float
    p99: float
    failed: int


def post(url: str, body: bytes, connections: int, seconds: int = 2) -> Load:
    """Sends the body again and again; wrk is Debian's package of that name."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "body.json").write_bytes(body)
        script = Path(folder, "post.lua")
        script.write_text(SCRIPT.format(body=Path(folder, "body.json")))
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s", "-s", str(script), url]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return _read(printed)


def _read(printed: str) -> Load:
    shares = {share: float(value) * UNITS[unit] for share, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)\b", printed)}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    return Load(float(rate[1]) if rate else 0.0, shares["50"], shares["99"], int(failed[1]) if failed else 0)
