"""What is done with a planted mutant: hunted, left alone, or shown to the simulator's own tests."""

import json
import os
import re
import subprocess

from mutant_bench.patches import BenchError, run

HARNESS_TESTS = ("linearizability_test", "sim_test")
SEEDS_BETWEEN_STARTS = 1_000_000


def cpu_seconds_of(command, **options):
    """Runs it; the second result is the CPU time of the process and of its children."""
    process = subprocess.Popen([str(part) for part in command], text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, **options)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process, output, usage.ru_utime + usage.ru_stime


def checker_of(failure):
    """Who found it: `history` saw only what clients saw; all others look inside."""
    if failure["exit_code"] == 127:
        said = failure["evidence"]
        return "assertion" if "check failed" in said.lower() else "crash"
    if failure["exit_code"] == 128:
        return "liveness"
    return "history" if failure["property"] == "Linearizability" else "white-box"


def hunt(tree, profile, start, checkers, seeds, cpu, more=()):
    """Runs seeds of a profile until one fails, all are done, or the CPU time is used up."""
    first = start * SEEDS_BETWEEN_STARTS + 1
    reached = tree.build / "reached"
    report = tree.build / "report.json"
    reached.unlink(missing_ok=True)
    report.unlink(missing_ok=True)
    command = [tree.build / "bin" / "lockstep-sim", "run", "--profile", profile,
               "--seeds", f"{first}..{first + seeds - 1}", "--jobs", 1, "--failures-max", 1, "--cpu", f"{cpu}s",
               "--checkers", checkers, "--seed-timeout", "2m", "--json", report, *more]
    process, output, spent = cpu_seconds_of(command, env=dict(os.environ, LOCKSTEP_MUTANT_REACHED=str(reached)))
    if not report.exists():
        raise BenchError(f"lockstep-sim run failed ({process.returncode}): {output.strip()[-500:]}")
    told = json.loads(report.read_text())
    result = {"profile": profile, "seeds": told["seeds"]["done"], "events": told["events"], "cpu": spent, "reached": reached.exists(),
              "found": bool(told["failures"])}
    if told["failures"]:
        failure = told["failures"][0]
        result["checker"] = checker_of(failure)
        said = failure["evidence"].splitlines()
        assertion = [line.strip() for line in said if "check failed" in line.lower()]
        result["property"] = assertion[0] if assertion else failure["property"]
        result["seed"] = failure["seed"]
    return result


def measure_bug(tree, mutant, options):
    tree.plant(mutant)
    tree.ninja("lockstep-sim")
    profile = mutant.profiles[0]
    result = {"all": [hunt(tree, profile, k, "all", options.seeds, options.cpu) for k in range(options.starts)]}
    if options.history_cpu > 0:
        result["history"] = [hunt(tree, profile, k, "history", options.seeds, options.history_cpu)
                             for k in range(options.starts)]
    return result


def measure_benign(tree, mutant, seeds):
    tree.plant(mutant)
    tree.ninja("lockstep-sim")
    return {"all": [hunt(tree, profile, 0, "all", seeds, 3600) for profile in mutant.profiles]}


def measure_harness(tree, mutant):
    """The simulator's own tests, and a batch of seeds, which may find that it tests nothing."""
    tree.plant(mutant)
    tree.ninja("lockstep-sim", *HARNESS_TESTS)
    noticed = []
    for name in HARNESS_TESTS:
        try:
            tested = run([tree.build / "tests" / name, "--gtest_brief=1"], cwd=tree.build / "tests", timeout=300)
        except subprocess.TimeoutExpired:
            noticed.append(f"{name} (does not end)")
            continue
        noticed += re.findall(r"^\[  FAILED  \] (\S+?),? .*ms\)$", tested.stdout, re.MULTILINE)
        if tested.returncode != 0 and not noticed:
            noticed.append(f"{name} ({tested.returncode})")
    for profile in mutant.profiles if not noticed else ():
        batch = run([tree.build / "bin" / "lockstep-sim", "run", "--profile", profile, "--seeds", "1..300", "--jobs", 1,
                     "--nodes", "3..5"])
        noticed += re.findall(r"^(tested nothing: .*|FAILED seed .*)$", batch.stdout, re.MULTILINE)
    return {"noticed": noticed}
