#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Result documents with invented numbers, for tests of the page and for work on its looks.

Nothing here was measured. `sample.py KIND` prints one: `full` has every member that a result may
have, `plain` has no more than the first version of the schema, `refused` is a run whose reference
failed a gate, `sweep` has points in the place of blocks, `empty` is a run in which no server could
be started.
"""

import collections
import json
import math
import random
import sys

LATENCY_VALUES = 200  # in each window
REPLIES = 64

# Name, processor time of an operation in us, share of it in the server's own code, version.
SERVERS = [
    ("select", 3.57, 0.17, "cede 0.1.0 select"),
    ("epoll", 3.47, 0.16, "cede 0.1.0 epoll"),
    ("io_uring", 3.12, 0.15, "cede 0.1.0 io_uring"),
    ("raw-epoll", 3.16, 0.12, "epoll"),
    ("raw-uring", 2.96, 0.02, "io_uring"),
    ("libuv", 3.31, 0.19, "libuv 1.44.2"),
    ("libevent", 3.66, 0.24, "libevent 2.1.12"),
    ("libev", 3.29, 0.18, "libev 4.33"),
    ("asio", 3.74, 0.28, "Boost 1.74"),
    ("go", 5.92, 0.41, "go1.19.8"),
]
REFERENCE = "raw-epoll"
INVALID_WINDOW = "steal: 7.1 % of the window was taken by others"
LAG = "lag: p99 of the client's own lateness is 31 % of the p50"


def bucket_end(value):
    """The largest value of the bucket into which the profiler's histogram puts this one."""
    shift = max(value.bit_length() - 11, 0)
    return ((value >> shift) + 1 << shift) - 1


def latencies(rng, cost_us, count):
    """A body, and a tail of what had to wait: nanoseconds."""
    for _ in range(count):
        tail = rng.paretovariate(1.6) if rng.random() < 0.05 else 1
        yield int(1e3 * (40 + 80 * cost_us * rng.lognormvariate(0, 0.25) * tail))


def window(rng, name, cost_us, place, start_ns, speed):
    counts = collections.Counter(
        bucket_end(value) for value in latencies(rng, cost_us * speed, LATENCY_VALUES))
    values = sorted(counts.elements())
    cpu = cost_us * speed * rng.lognormvariate(0, 0.015)
    operations = int(5e4 / (cpu + 3) * 2)
    is_valid = rng.random() > 0.01
    return {
        "arm": name, "place": place, "start_ns": start_ns, "elapsed_ns": 50_000_000,
        "operations": operations, "reply_bytes": operations * REPLIES,
        "cpu_ns": int(1e3 * cpu * operations), "user_ns": 10_000_000, "kernel_ns": 30_000_000,
        "client_cpu_ns": 20_000_000, "busy_ns": 3_000_000_000,
        "steal_ns": rng.choice([0, 0, 0, 0, 0, 10_000_000]) if is_valid else 40_000_000,
        "lag_p99_ns": 9000, "voluntary_switches": 40, "involuntary_switches": 2,
        "p50_ns": values[len(values) // 2], "p99_ns": values[len(values) * 99 // 100],
        "maximum_ns": values[-1], "valid": is_valid, "invalid": None if is_valid else
        INVALID_WINDOW, "latency": [part for end in sorted(counts) for part in (end, counts[end])],
    }


def blocks(rng, servers, count):
    found, start_ns, drift = [], 0, 0
    for block in range(count):
        drift = 0.85 * drift + rng.gauss(0, 0.04)
        row = []
        for place in range(len(servers)):
            name, cost_us, _, _ = servers[(block * 3 + place) % len(servers)]
            row.append(window(rng, name, cost_us, place, start_ns, math.exp(drift)))
            start_ns += 62_000_000
        found.append(sorted(row, key=lambda at: [server[0] for server in servers].index(
            at["arm"])))
    return found


def ratio(value, half):
    return {"estimate": value, "low": value * (1 - half), "high": value * (1 + half),
            "detectable": 1 + 1.4 * half}


def summary(server, windows):
    name, cost_us, user_share, _ = server
    reference_us = dict((row[0], row[1]) for row in SERVERS)[REFERENCE]
    value = cost_us / reference_us
    compared = name != REFERENCE
    return {
        "operations": sum(at["operations"] for at in windows),
        "reply_bytes": sum(at["reply_bytes"] for at in windows),
        "median_operations_per_second": 1e6 / (cost_us + 16),
        "median_cpu_ns_per_operation": 1e3 * cost_us, "user_share": user_share,
        "cpu_ratio": ratio(value, 0.015) if compared else None,
        "rate_ratio": ratio(value ** -0.25, 0.012) if compared else None,
    }


def histogram(windows):
    counts = collections.Counter()
    for at in windows:
        counts.update(dict(zip(at["latency"][0::2], at["latency"][1::2])))
    return {"maximum_ns": max(at["maximum_ns"] for at in windows),
            "buckets_ns": [list(pair) for pair in sorted(counts.items())]}


def arm(server, found):
    name, cost_us, _, version = server
    windows = [at for row in found for at in row if at["arm"] == name]
    is_batching = "uring" in name
    return {
        "name": name, "program": "tools/echo_server", "command": None, "version": version,
        "backend": name if name in ("select", "epoll", "io_uring") else None, "failure": None,
        "valid": True, "invalid_reasons": [], "limited_by": "server: its processor is 98 % busy",
        "rest_ns": 40_478_384_110, "rest_cpu_ns": 115_171, "rss_bytes": int(1.5e6 * cost_us),
        "idle_bytes_per_connection": 412.0 * cost_us, "threads": 6 if name == "go" else 1,
        "kernel_workers": 2 if is_batching else 0,
        "context_switches_per_operation": 0.021 * cost_us,
        "syscalls_per_operation": 0.08 if is_batching else 2.11,
        "events_per_wait": 24.1 if is_batching else 11.8,
        "instructions_per_operation": 1000.0 * cost_us if name != "go" else None,
        "uses_invalid_windows": False, "headroom": 2.6, "summary": summary(server, windows),
        "latency": histogram(windows),
        "service": histogram([window(random.Random(5), name, cost_us / 2, 0, 0, 1)]),
    }


def curve(servers):
    for name, cost_us, _, _ in servers:
        for step in range(1, 13):
            load = step / 10
            achieved = min(load, 0.98) * 1e6 / (cost_us + 3)
            p50 = 1e4 * cost_us / max(1.05 - load, 0.02)
            yield {"arm": name, "rate": load * 1e6 / (cost_us + 3), "connections": 64,
                   "achieved_per_s": achieved + step, "p50_ns": int(p50), "p99_ns": int(4 * p50),
                   "p999_ns": int(9 * p50),
                   "cpu_ns_per_operation": 1e3 * cost_us * (1.2 - load / 5),
                   "valid": load <= 1}


def environment():
    return {"system": "Linux", "kernel": "6.1.0-invented", "machine": "x86_64", "processors": 2,
            "compiler": "12.2.0", "date": "2026-01-02T03:04:05Z", "cpu_model": "Invented CPU",
            "virtualisation": "hypervisor", "load_average": 0.12, "descriptor_limit": 20000,
            "somaxconn": 4096, "clock_source": "tsc", "git": "0123456789ab"}


def plan(block_count):
    return {"verb": "run", "workload": "echo", "loop": "open", "rate": 40000.0,
            "arrivals": "poisson", "connections": 64, "message_bytes": REPLIES, "depth": 1,
            "unix": False, "polling": False, "window_ns": 50_000_000, "warmup_ns": 10_000_000,
            "blocks_planned": block_count, "blocks_done": block_count, "order": "williams",
            "pin": "server and client share processor 1", "server_cpu": 1, "client_cpu": 1,
            "precision": 0.02, "budget_ns": 60_000_000_000, "slo_ns": None}


def full():
    rng = random.Random(1)
    found = blocks(rng, SERVERS, 100)
    arms = [arm(server, found) for server in SERVERS]
    arms[8].update(valid=False, invalid_reasons=[LAG])
    arms.append({**{name: None for name in arms[0]}, "name": "<script>alert(1)</script>",
                 "command": "./server --port {port}", "valid": True, "invalid_reasons": [],
                 "failure": "gate: a wrong byte after 0 of 61 bytes"})
    return {"schema": "profile-result/1", "version": "0.1.0",
            "command_line": ["profile", "-R", "40k", "--html", "it's </script> here.html"],
            "seed": 7, "environment": environment(), "plan": plan(100), "reference": REFERENCE,
            "arms": arms, "blocks": found, "curve": list(curve(SERVERS[:5]))}


def plain():
    """A closed loop, and only what the schema had at first."""
    rng = random.Random(2)
    found = blocks(rng, SERVERS[:5], 60)
    kept = ("name", "program", "command", "failure", "rest_ns", "rest_cpu_ns", "summary", "latency")
    arms = [{name: value for name, value in arm(server, found).items() if name in kept}
            for server in SERVERS[:5]]
    for row in found:
        for at in row:
            for name in ("valid", "invalid", "latency", "steal_ns", "lag_p99_ns", "busy_ns",
                         "client_cpu_ns", "voluntary_switches", "involuntary_switches"):
                del at[name]
    new = ("verb", "rate", "arrivals", "depth", "unix", "polling", "pin", "precision", "budget_ns",
           "slo_ns")
    return {"schema": "profile-result/1", "version": "0.1.0", "command_line": ["profile"],
            "seed": 1, "environment": dict(list(environment().items())[:5]),
            "plan": {name: value for name, value in {**plan(60), "loop": "closed"}.items()
                     if name not in new},
            "reference": REFERENCE, "arms": arms, "blocks": found}


def refused():
    document = full()
    document["arms"] = document["arms"][:5]
    document["arms"][3].update(valid=False, invalid_reasons=[LAG])
    document["blocks"] = [row[:5] for row in document["blocks"]]
    return document


def sweep():
    """Points at many rates, and no blocks."""
    document = full()
    document["arms"] = [{**each, "summary": None, "service": None,
                         "latency": {"maximum_ns": 0, "buckets_ns": []}}
                        for each in document["arms"][:5]]
    document["plan"].update(verb="sweep", rate=0, blocks_done=0)
    return {**document, "reference": None, "blocks": []}


def empty():
    document = full()
    for each in document["arms"]:
        each.update(summary=None, latency=None, service=None, failure="cannot be started")
    return {**document, "reference": None, "blocks": [], "curve": []}


KINDS = {"full": full, "plain": plain, "refused": refused, "sweep": sweep, "empty": empty}

if __name__ == "__main__":
    json.dump(KINDS[sys.argv[1]](), sys.stdout)
