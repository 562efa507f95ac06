"""Run in a network namespace of its own: who reaches what under ``deploy/egress.nft``. Prints JSON."""

import json
import os
import pwd
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

PORTS = (25, 443, 5432, 8000)
ADDRESSES = ("127.0.0.1", "10.0.0.5", "169.254.169.254", "203.0.113.9", "::1", "fd00::5", "2a00::9")


def main(rules: str, account: str) -> None:
    """As root, and as this account."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in ADDRESSES[1:]:
        if address != "::1":
            subprocess.run(
                ["ip", "address", "add", f"{address}/{128 if ':' in address else 32}", "dev", "lo"],
                check=True,
            )
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(Path(rules).read_text().replace('account = "signalize"', f'account = "{account}"'))
        file.flush()
        subprocess.run(["nft", "-f", file.name], check=True)
    listening = [
        socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) for port in PORTS
    ]
    reading, writing = os.pipe()
    if not os.fork():
        try:
            os.setuid(pwd.getpwnam(account).pw_uid)
            os.write(writing, json.dumps(reached()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    print(json.dumps({"root": reached(), "account": json.loads(os.read(reading, 65_536))}))
    for one in listening:
        one.close()


def reached() -> list[str]:
    found = []
    for address in ADDRESSES:
        for port in PORTS:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with socket.socket(family) as asking:
                asking.settimeout(0.5)
                if not asking.connect_ex((address, port)):
                    found.append(f"{address} {port}")
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
