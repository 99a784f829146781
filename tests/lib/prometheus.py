# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's Prometheus, and what is in the text that it reads."""

import http.server
import json
import os
import re
import subprocess
import threading
import urllib.parse
import urllib.request

from smbd import die_with_parent, free_port, wait_for

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or
                     os.path.expanduser("~/.cache"), "smbd-uring",
                     "prometheus")
NO_PACKAGE = "the package prometheus could not be downloaded"
MONITORING = os.path.realpath(
    os.path.dirname(os.path.realpath(__file__)) + "/../../monitoring")


def program(name):
    """prometheus or promtool of the package prometheus; None: not here.

    The package is not installed: that would start a server.
    """
    path = f"{CACHE}/usr/bin/{name}"
    if not os.path.exists(path):
        os.makedirs(CACHE, exist_ok=True)
        subprocess.run("apt-get -qq download prometheus && "
                       "dpkg -x prometheus_*.deb . && rm prometheus_*.deb",
                       shell=True, cwd=CACHE, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    return path if os.path.exists(path) else None


def series(text):
    """{name and labels: value} of a text; a list of those that are there
    twice."""
    found, twice = {}, []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            if name in found:
                twice.append(name)
            found[name] = float(value)
    return found, twice


def labels(text):
    """The names of all labels of a text."""
    return set(re.findall(r'[{,](\w+)="', text))


def names(expression):
    """The metrics that an expression uses."""
    return set(re.findall(r"\bsmbd_\w+", expression))


CONFIG = """
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: [rules.yml]
scrape_configs:
  - job_name: node
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


class Server:
    """with Server(directory, prom) as server: Prometheus, which reads the file
    prom each second and has our rules.  data: its database."""

    def __init__(self, directory, prom, data=None):
        self.directory, self.port = directory, free_port()
        self.data = data or f"{directory}/data"
        os.makedirs(directory)

        class Handler(http.server.BaseHTTPRequestHandler):
            """What node_exporter does."""

            def do_GET(self):
                try:
                    with open(prom, "rb") as f:
                        text = f.read()
                except FileNotFoundError:
                    text = b""
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass
        self.exporter = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        with open(f"{MONITORING}/rules.yml") as f:
            rules = f.read()
        with open(f"{directory}/rules.yml", "w") as f:
            f.write(rules)
        with open(f"{directory}/prometheus.yml", "w") as f:
            f.write(CONFIG.format(port=self.exporter.server_address[1]))

    def __enter__(self):
        threading.Thread(target=self.exporter.serve_forever,
                         daemon=True).start()
        self.log = open(f"{self.directory}/log", "w")
        self.process = subprocess.Popen(
            [program("prometheus"),
             f"--config.file={self.directory}/prometheus.yml",
             f"--storage.tsdb.path={self.data}",
             f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=self.log, stderr=self.log, preexec_fn=die_with_parent)
        if not wait_for(lambda: self.get("query", query="vector(1)")):
            with open(f"{self.directory}/log") as f:
                raise RuntimeError(f.read())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        self.exporter.shutdown()
        self.exporter.server_close()

    def get(self, what, **parameters):
        """The data of an answer of the HTTP API; None if it fails."""
        url = (f"http://127.0.0.1:{self.port}/api/v1/{what}?" +
               urllib.parse.urlencode(parameters))
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def query(self, expression):
        """The series; None if the expression is wrong."""
        data = self.get("query", query=expression)
        return data and data["result"]


def panels(**variables):
    """(title, expression) of each panel of the dashboard."""
    with open(f"{MONITORING}/grafana.json") as f:
        dashboard = json.load(f)
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            expression = target["expr"]
            for name, value in variables.items():
                expression = expression.replace(f"${name}", value)
            yield panel["title"], expression
