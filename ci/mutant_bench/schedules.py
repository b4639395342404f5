"""How soon a planted mistake is found by three ways of choosing what happens: random seeds, random seeds with PCT
priorities, and coverage-guided fuzzing of decision logs."""

import os
import re
import resource
import shutil
import subprocess

from mutant_bench.hunt import hunt

WAYS = ("random", "pct", "fuzz")
# Of the comparison, by how long random seeds take: from a moment to minutes.
DOZEN = ["R05b", "E07", "S12", "E01b", "Q21", "Q03", "E04", "S12b", "D06", "D23", "S09", "R32"]


def configure_fuzz(tree):
    """A second build of the same tree, by clang with libFuzzer's counters."""
    tree.fuzz_build = tree.build.parent / "fuzz"
    tree.must(["cmake", "--preset", "fuzz", "-S", tree.source, f"-DCMAKE_EXE_LINKER_FLAGS={tree.marker}"])


def cpu_limited(seconds):
    # libFuzzer's own limit is of real time; a CPU-second is the measure here.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))


def fuzz(tree, profile, start, cpu):
    """libFuzzer from the corpus of the tree, which was made without the mistake, until something is found."""
    work = tree.fuzz_build / "hunt"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    command = [tree.fuzz_build / "fuzz" / f"fuzz_{profile}_schedules", f"-seed={start + 1}", "-len_control=0", "-use_counters=0",
               "-rss_limit_mb=4096", "-timeout=120", work, tree.source / "fuzz" / "corpus" / f"{profile}_schedules"]
    process = subprocess.Popen([str(part) for part in command], cwd=work, text=True, stdout=subprocess.PIPE, errors="replace",
                               stderr=subprocess.STDOUT, preexec_fn=lambda: cpu_limited(cpu))
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    found = "Test unit written to" in output
    runs = re.findall(r"^#(\d+)", output, re.MULTILINE)
    said = re.search(r"^(.* violated, at event \d+|.*check failed.*)$", output, re.MULTILINE | re.IGNORECASE)
    return {"seeds": int(runs[-1]) if runs else 0, "cpu": usage.ru_utime + usage.ru_stime, "found": found,
            "property": said.group(1).strip() if found and said else ""}


def measure_ways(tree, mutant, options):
    tree.plant(mutant)
    tree.ninja("lockstep-sim")
    profile = mutant.profiles[0]
    tree.must(["ninja", "-C", tree.fuzz_build, f"fuzz_{profile}_schedules"])
    result = {way: [] for way in WAYS}
    for start in range(options.starts):
        result["random"].append(hunt(tree, profile, start, "all", options.seeds, options.cpu))
        result["pct"].append(hunt(tree, profile, start, "all", options.seeds, options.cpu, ["--schedule", "pct"]))
        result["fuzz"].append(fuzz(tree, profile, start, options.cpu))
    return result


def median(numbers):
    return sorted(numbers)[len(numbers) // 2]


def seconds(number):
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def cell(hunts):
    """CPU-seconds, median / worst; and how many of the hunts found nothing."""
    spent = [one["cpu"] for one in hunts]
    missed = sum(not one["found"] for one in hunts)
    return f"{seconds(median(spent))} / {seconds(max(spent))}" + (f" ({missed} of {len(hunts)} not found)" if missed else "")


def soonest(results):
    """How many mistakes each way finds before the others do."""
    counts = dict.fromkeys(WAYS, 0)
    for _, result in results:
        counts[min(WAYS, key=lambda way: median([one["cpu"] for one in result[way]]))] += 1
    return counts


def write_schedules_page(results, options, path):
    lines = [
        "# Ways to choose a schedule, compared",
        "",
        "`ci/mutants --schedules` plants each of these mistakes and lets three ways look for it, from the same starting points;",
        "this page is its output. *Random*: `lockstep-sim run`, seed after seed. *PCT*: the same with `--schedule pct`",
        "(priorities of links and disks, Burckhardt et al., ASPLOS 2010). *Fuzzing*: `fuzz_raft_schedules` or",
        "`fuzz_shard_schedules` (libFuzzer, edges and states of the cluster as feedback), beginning with its corpus, which was",
        "made without the mistake; its runs are short, and its program is slower for being instrumented.",
        "",
        f"CPU-seconds until a checker objects, median / worst of {options.starts} starts of at most {options.cpu} CPU-seconds each.",
        "",
        "| ID | Mistake | Random | PCT | Fuzzing |",
        "|---|---|---|---|---|",
    ]
    for mutant, result in results:
        lines.append(f"| {mutant.id} | {mutant.title} | " + " | ".join(cell(result[way]) for way in WAYS) + " |")
    lines += ["", "Soonest by the median: " + ", ".join(f"{way} {count}" for way, count in soonest(results).items()) + "."]
    path.write_text("\n".join(lines) + "\n")


def tell_ways(mutant, result):
    return f"{mutant.id:5} " + "   ".join(f"{way} {cell(result[way])}" for way in WAYS)
