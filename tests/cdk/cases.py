#!/usr/bin/env python3
"""Runs manifests in the real Airbyte CDK against an API that drifts, and writes the records of each case.

usage: cases.py CASES.json RESULTS.json
CASES.json: [{"name", "manifest": "path", "drift": ["rename", ...]}, ...]; RESULTS.json: {name: [record, ...]}

The API is the server below. The CDK runs in this process, by the entry point of its command
`source-declarative-manifest`, so that it is loaded once.
"""
import datetime
import json
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DRIFT = set()


def customer(i):
    """What the API says before any drift, with values that careless mappings change."""
    return {
        "id": str(10000 + i),
        "email": None if i % 5 == 0 else f"user{i}@example.com",
        "name": ["True", "007", "['a']", " padded ", "O'Neil \"Bob\"", "12.50", "Zoë 🚢"][i % 7],
        "created_at": f"2024-03-{i % 28 + 1:02d}T08:{i % 60:02d}:00Z",
        "balance": i * 1000 + 50,
        "rating": [4, 4.5, 0, None][i % 4],
        "active": i % 3 == 0,
        "status": ["active", "paused", "closed"][i % 3],
        "tags": ["a", "b"][: i % 3],
        "address": {"city": ["Oslo", "Lima", "Pune"][i % 3], "zip": f"{100 + i:05d}"},
    }


def drifted(record):
    if "rename" in DRIFT:
        record["email_address"] = record.pop("email")
    if "rename-name" in DRIFT:
        record["full_name"] = record.pop("name")
    if "rename-rating" in DRIFT:
        record["score"] = record.pop("rating")
    if "rename-active" in DRIFT:
        record["enabled"] = record.pop("active")
    if "rename-tags" in DRIFT:
        record["labels"] = record.pop("tags")
    if "rename-again" in DRIFT:
        record["mail"] = record.pop("email")
    if "move" in DRIFT:
        email = record.pop("email")
        record["contact"] = email and {"email": email}
    if "zip" in DRIFT:
        record["address"]["postcode"] = record["address"].pop("zip")
    if "epoch" in DRIFT or "epoch-millis" in DRIFT:
        at = datetime.datetime.fromisoformat(record["created_at"].replace("Z", "+00:00")).timestamp()
        record["created_at"] = int(at) * (1000 if "epoch-millis" in DRIFT else 1)
    if "space" in DRIFT:
        record["created_at"] = record["created_at"].replace("T", " ").removesuffix("Z")
    if "dollars" in DRIFT:
        record["balance"] = record["balance"] / 100
    if "upper" in DRIFT:
        record["status"] = record["status"].upper()
    if "rating-text" in DRIFT and record["rating"] is not None:
        record["rating"] = str(record["rating"])
    if "balance-text" in DRIFT:
        record["balance"] = str(record["balance"])
    if "active-text" in DRIFT:
        record["active"] = "true" if record["active"] else "false"
    return record


class Api(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        path = "/v2/customers" if "path" in DRIFT else "/v1/customers"
        found = self.path.split("?")[0] == path
        rows = [drifted(customer(i)) for i in range(25)]
        body = json.dumps({"results" if "envelope" in DRIFT else "data": rows} if found else {"error": "gone"})
        self.send_response(200 if found else 410)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())


def write(folder, name, value):
    path = f"{folder}/{name}"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)
    return path


def main():
    from airbyte_cdk.cli.source_declarative_manifest._run import create_declarative_source
    from airbyte_cdk.entrypoint import AirbyteEntrypoint

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stream = {"name": "customers", "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh"]}
    catalog = {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        config = write(folder, "config.json", {"base_url": f"http://127.0.0.1:{server.server_address[1]}"})
        catalog = write(folder, "catalog.json", {"streams": [catalog]})
        for case in cases:
            DRIFT.clear()
            DRIFT.update(case["drift"])
            arguments = ["read", "--config", config, "--catalog", catalog, "--manifest-path", case["manifest"]]
            messages = []
            try:
                entry_point = AirbyteEntrypoint(create_declarative_source(arguments))
                for line in entry_point.run(entry_point.parse_args(arguments)):
                    messages.append(json.loads(line))
            except (Exception, SystemExit) as error:  # any failure is the result of the case
                messages.append({"type": "FAILED", "error": str(error)})
            failed = [m for m in messages if m["type"] == "FAILED"]
            records = [m["record"]["data"] for m in messages if m["type"] == "RECORD"]
            results[case["name"]] = failed or records
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(results, file)


if __name__ == "__main__":
    main()
