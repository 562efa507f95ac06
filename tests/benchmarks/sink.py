"""A push service that takes everything: nginx over TLS and HTTP/2, at once or after 50 ms."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from signalize_console.pushservice.certificates import Certificates

HOST = "updates.push.services.mozilla.com"
ECHO = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
CONFIGURATION = """
daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log; {modules}
events {{ worker_connections 1024; }}
http {{
    access_log off; log_format arrival "$msec $request_uri"; keepalive_requests 100000000; http2_max_concurrent_streams 256;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {directory}/server.pem; ssl_certificate_key {directory}/server.pem;
        location / {{ {answer} }}
        location /wpush/v2/timed- {{ access_log {directory}/arrivals.log arrival; {answer} }}
    }}
}}
"""


class Sink:
    """Use as a context manager. ``latency`` in seconds wants Debian's libnginx-mod-http-echo."""

    def __init__(self, directory: Path, latency: float = 0.0) -> None:
        for needed, package in (
            (shutil.which("nginx"), "nginx-light"),
            (ECHO.exists(), "libnginx-mod-http-echo"),
        ):
            if not needed:
                raise SystemExit(f"This benchmark sends to nginx. On Debian: apt-get install {package}")
        self.directory = directory
        self.certificates = Certificates(directory)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        slow = f"echo_status 201; echo_sleep {latency}; echo -n '';"
        (directory / "nginx.conf").write_text(
            CONFIGURATION.format(
                directory=directory,
                port=self.port,
                modules=f"load_module {ECHO};" if latency else "",
                answer=slow if latency else "return 201;",
            )
        )

    @property
    def push_services(self) -> str:
        return f"https://{HOST}=127.0.0.1:{self.port}"

    def arrivals(self) -> dict[str, float]:
        """When each request to an endpoint /wpush/v2/timed-… was answered, in Unix time, by its last part."""
        log = self.directory / "arrivals.log"
        lines = log.read_text().splitlines() if log.exists() else []
        times = [line.split() for line in lines if line.count(" ") == 1]
        return {path.rpartition("/")[2]: float(at) for at, path in times}

    @property
    def url(self) -> str:
        """For senders that can't be led elsewhere."""
        return f"https://localhost:{self.port}/wpush/v2/{{number}}"

    def __enter__(self) -> Self:
        configuration = str(self.directory / "nginx.conf")
        argv = ["nginx", "-p", str(self.directory), "-c", configuration]
        self.process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        for _try in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        raise SystemExit((self.directory / "error.log").read_text())

    def __exit__(self, *_error: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
