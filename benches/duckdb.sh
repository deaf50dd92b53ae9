#!/bin/sh
# CPU time and memory of a whole process that profiles a file of JSON lines: ours against DuckDB's SUMMARIZE on one thread.
#
#   python3 -m venv VENV && VENV/bin/pip install duckdb
#   PYTHON=VENV/bin/python DROGUE=target/release/drogue benches/duckdb.sh FILE.ndjson …
#
# Prints `FILE PROGRAM CPU-SECONDS (user and system) PEAK-RSS-IN-MB`, the least of three runs each. `profile` reads and
# profiles the file once, as `bench profile -- --stream` does: the like of SUMMARIZE. `diff` is `drogue diff FILE FILE`,
# which holds neither side: it reads each once to count its records, then profiles them five times over in all (to find
# the key, to see how parts vary, to compare), and judges what it sees. `import` is the floor of a Python process with DuckDB loaded.
# SUMMARIZE takes nested objects as opaque; we profile each field in them.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
DROGUE=${DROGUE:-target/release/drogue}
PROFILE=${PROFILE:-$(cargo bench --bench profile --no-run 2>&1 | sed -n 's/.*Executable.*(\(.*\)).*/\1/p')}

export PYTHON DROGUE PROFILE
exec "$PYTHON" - "$@" <<'PROGRAM'
import os, subprocess, sys

python, drogue, profile = (os.environ[name] for name in ("PYTHON", "DROGUE", "PROFILE"))
SUMMARIZE = (
    "import duckdb, sys; c = duckdb.connect(config={'threads': 1});"
    "c.execute(\"SUMMARIZE SELECT * FROM read_json(?, format='newline_delimited')\", [sys.argv[1]]).fetchall()"
)
PROGRAMS = {
    "duckdb": lambda file: [python, "-c", SUMMARIZE, file],
    "import": lambda file: [python, "-c", "import duckdb; duckdb.connect().execute('SELECT 1')"],
    "profile": lambda file: [profile, "--stream", file],
    "diff": lambda file: [drogue, "diff", file, file],
}


def run(command):
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 10, 11):
        sys.exit(f"{command[0]} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


for file in sys.argv[1:]:
    for name, command in PROGRAMS.items():
        runs = [run(command(file)) for _ in range(3)]
        print(f"{file} {name} {min(cpu for cpu, _ in runs):.2f} {max(rss for _, rss in runs):.0f}", flush=True)
PROGRAM
