"""The results for people: a line each, and docs/mutants.md."""

import statistics

from mutant_bench.patches import PATCHES


def number(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def spread(runs, name):
    values = [one[name] for one in runs]
    return f"{number(statistics.median(values))} / {number(max(values))}"


def verdict_of(runs):
    found = sum(one["found"] for one in runs)
    if found == len(runs):
        return "found"
    if found > 0:
        return f"found {found} of {len(runs)}"
    return "not found" if any(one["reached"] for one in runs) else "never reached"


def describe_checkers(runs):
    names = {}
    for one in runs:
        if one["found"]:
            key = f"{one['checker']}: {one['property']}"
            names[key] = names.get(key, 0) + 1
    ranked = sorted(names.items(), key=lambda item: (-item[1], item[0]))
    return "; ".join(name + (f" ({count})" if count > 1 else "") for name, count in ranked) or "–"


def bug_row(mutant, result):
    runs = result["all"]
    columns = [mutant.id, mutant.title, mutant.profiles[0], mutant.fields["Breaks"], verdict_of(runs), spread(runs, "seeds"),
               spread(runs, "events"), spread(runs, "cpu"), describe_checkers(runs)]
    history = result.get("history")
    if history is None:
        columns += ["–", "–"]
    else:
        columns += [verdict_of(history), spread(history, "cpu")]
    return columns


def markdown(rows):
    clean = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in clean]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines) + "\n"


def bug_table(results):
    head = ["ID", "Mistake", "Profile", "Breaks", "All checkers", "Seeds", "Events", "CPU s", "Found by",
            "Clients' history alone", "CPU s"]
    return markdown([head] + [bug_row(mutant, result) for mutant, result in results])


def other_tables(results):
    text = ""
    benign = [(m, r) for m, r in results if m.kind == "benign"]
    harness = [(m, r) for m, r in results if m.kind == "harness"]
    if benign:
        rows = [["ID", "Change", "Why it must stay silent", "Result", "Seeds", "CPU s"]]
        for mutant, result in benign:
            runs = result["all"]
            silent = "FALSE ALARM: " + describe_checkers(runs) if any(one["found"] for one in runs) else "silent"
            rows.append([mutant.id, mutant.title, mutant.fields["Benign"], silent,
                         " + ".join(f"{one['seeds']:,} of {one['profile']}" for one in runs),
                         number(sum(one["cpu"] for one in runs))])
        text += "\n## Benign changes, which must stay silent\n\n" + markdown(rows)
    if harness:
        rows = [["ID", "Damage to the simulator", "Breaks", "Noticed by"]]
        for mutant, result in harness:
            noticed = result["noticed"]
            more = f" and {len(noticed) - 1} more" if len(noticed) > 1 else ""
            rows.append([mutant.id, mutant.title, mutant.fields["Breaks"], noticed[0] + more if noticed else "NOTHING"])
        text += "\n## Damage to the simulator, which its own tests must notice\n\n" + markdown(rows)
    return text


def medians(bugs):
    """Median over the bugs of each one's median effort."""
    found = [result["all"] for _, result in bugs if all(one["found"] for one in result["all"])]
    if not found:
        return None
    return {name: statistics.median(statistics.median(one[name] for one in runs) for runs in found)
            for name in ("seeds", "events", "cpu")}


def summary(results, options):
    bugs = [(m, r) for m, r in results if m.kind == "bug"]
    if not bugs:
        return ""
    found = sum(verdict_of(r["all"]) == "found" for _, r in bugs)
    text = f"{found} of {len(bugs)} mistakes were found from every one of {options.starts} starting seeds."
    middle = medians(bugs)
    if middle is not None:
        worst = max(one["cpu"] for _, r in bugs for one in r["all"])
        text += (f" The median mistake takes {number(middle['seeds'])} seeds, {number(middle['events'])} events,"
                 f" {number(middle['cpu'])} CPU-seconds; the worst run of all took {number(worst)} CPU-seconds.")
    if all("history" in r for _, r in bugs):
        seen = sum(verdict_of(r["history"]) == "found" for _, r in bugs)
        part = sum(verdict_of(r["history"]).startswith("found ") for _, r in bugs)
        text += (f" The clients' history and liveness alone, given {options.history_cpu} CPU-seconds, find {seen} from"
                 f" every start and {part} from some.")
    return text + "\n"


PREFACE = """# The mutant bench

What the simulator finds, measured: `ci/mutants` plants each of these mistakes in a copy of the tree and
runs seeds until a checker objects. This page is its output; do not edit it.

Figures are *median / worst* over the starting seeds. "Found by" tells the kind of checker: *white-box*
reads the nodes' own notes, *assertion* is a check that the product itself carries, *liveness* waits for clients to be
served, *history* judges only what clients saw. The last two columns are a second hunt in which history and liveness
are alone, as for a system whose inside one cannot see. The profile tells what was simulated: one group (raft), or a
sharded cluster whose shards move (shard). A mistake is *never reached* if its line never made a
difference, and *not found* if it did and nothing objected.
"""


def write_page(results, options):
    absent = PATCHES / "not_applicable.md"
    bugs = [(m, r) for m, r in results if m.kind == "bug"]
    page = (PREFACE + "\n" + summary(results, options) + "\n## Mistakes, which must be found\n\n" + bug_table(bugs) +
            other_tables(results))
    if absent.exists():
        page += "\n" + absent.read_text()
    options.table.parent.mkdir(parents=True, exist_ok=True)
    options.table.write_text(page)


def tell(mutant, result):
    if mutant.kind == "harness":
        noticed = result["noticed"]
        return f"{mutant.id:5} {'noticed' if noticed else 'UNNOTICED':14} {noticed[0] if noticed else ''}"
    runs = result["all"]
    if mutant.kind == "benign":
        seeds = " + ".join(f"{one['seeds']} of {one['profile']}" for one in runs)
        return (f"{mutant.id:5} {'FALSE ALARM' if any(one['found'] for one in runs) else 'silent':14} "
                f"{seeds} seeds  {describe_checkers(runs)}")
    line = (f"{mutant.id:5} {verdict_of(runs):14} seeds {spread(runs, 'seeds'):13} CPU s {spread(runs, 'cpu'):13} "
            f"{describe_checkers(runs)[:90]}")
    if "history" in result:
        line += f"\n      history alone: {verdict_of(result['history'])}, CPU s {spread(result['history'], 'cpu')}"
    return line


def as_it_must_be(mutant, result):
    if mutant.kind == "harness":
        return bool(result["noticed"])
    if mutant.kind == "benign":
        return not any(one["found"] for one in result["all"])
    return all(one["found"] for one in result["all"])
