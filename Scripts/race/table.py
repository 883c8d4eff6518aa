"""From samples to medians, shares of roofs and ratios; the table as Markdown, and the section of README."""

import json
import os
import statistics

BEGIN, END = "<!-- race: begin -->", "<!-- race: end -->"


def median(values):
    """The median, or None of nothing."""
    return statistics.median(values) if values else None


def paired_ratios(samples, test, one, other):
    """`one` over `other` in every round in which both have a figure: greater than 1 where `one` is better."""
    values = {}
    for sample in samples:
        if sample["test"] == test:
            values[(sample["contestant"], sample["round"])] = sample["value"]
    rounds = sorted({key[1] for key in values})
    pairs = [(values[(one, r)], values[(other, r)]) for r in rounds if (one, r) in values and (other, r) in values]
    is_time = test.startswith("load")
    return [(b / a if is_time else a / b) for a, b in pairs if a > 0 and b > 0]


def summarise(record):
    """Adds `results` to a record: for every contestant and test the median, its range, and the share of the roof.

    The roof of a test is the median of what `trit bench` measured beside its own samples in the same race: plain
    reads of as many bytes (decode), int8 multiply-adds (prefill). A contestant's share is its tokens a second times
    what one token costs it, over that roof.
    """
    samples, results = record["samples"], {}
    for test in record["tests"]:
        name = test["name"]
        roofs = [s["more"]["roof_per_second"] for s in samples
                 if s["test"] == name and (s.get("more") or {}).get("roof_per_second")]
        work = [s["more"]["roof_per_token"] for s in samples
                if s["test"] == name and (s.get("more") or {}).get("roof_per_token")]
        roof = median(roofs)
        test["roof_per_second"] = roof
        for one in record["contestants"]:
            mine = [s for s in samples if s["test"] == name and s["contestant"] == one["name"]]
            if not mine:
                continue
            values = [s["value"] for s in mine]
            entry = {
                "median": median(values), "least": min(values), "most": max(values), "samples": len(values),
                "disturbed": sum(1 for s in mine if s.get("disturbed")),
            }
            peaks = [s["peak_bytes"] for s in mine if s.get("peak_bytes")]
            if peaks:
                entry["peak_bytes"] = median(peaks)
            cost = cost_of_token(record, one, test, mine, median(work))
            if roof and cost:
                entry["roof_share"] = entry["median"] * cost / roof
            results.setdefault(one["name"], {})[name] = entry
    record["results"] = results
    return record


def cost_of_token(record, one, test, mine, work):
    """Multiply-adds of a prompt's token, which are the same for all, or the bytes that a generated one reads."""
    if test["kind"] == "prefill":
        return work
    if test["kind"] != "decode":
        return None
    told = median([s["more"]["bytes_per_token"] for s in mine if (s.get("more") or {}).get("bytes_per_token")])
    if told:
        return told
    if not one.get("weight_bytes"):
        return None
    return one["weight_bytes"] + record["cache_bytes_per_position"] * (test["depth"] + test["tokens"] // 2)


# Text


def figure(value, unit):
    """Three digits for speeds, hundredths for seconds."""
    if value is None:
        return "–"
    if unit == "s":
        return f"{value:.2f} s"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def columns(record):
    """Tests in groups of those that differ by threads alone: title, tests."""
    out = []
    for test in record["tests"]:
        title = test["name"].rsplit(",", 1)[0]
        if out and out[-1][0] == title:
            out[-1][1].append(test)
        else:
            out.append((title, [test]))
    return [(f"{title}, {' / '.join(str(t['threads']) for t in group)} thread"
             + ("" if len(group) == 1 and group[0]["threads"] == 1 else "s"), group) for title, group in out]


def best(record, test):
    """The contestant that leads a test."""
    found = [(entry[test["name"]]["median"], name) for name, entry in record["results"].items() if test["name"] in entry]
    if not found:
        return None
    return (min if test["kind"] == "load" else max)(found)[1]


def cell(record, name, group):
    entries = [(record["results"].get(name, {}).get(test["name"]), test) for test in group]
    if not any(entry for entry, _ in entries):
        return "–"
    parts = []
    for entry, test in entries:
        text = figure(entry["median"], test["unit"]) if entry else "–"
        if entry and entry["disturbed"] * 2 > entry["samples"]:
            text += " (!)"
        parts.append(f"**{text}**" if entry and best(record, test) == name else text)
    text = " / ".join(parts)
    shares = [f"{100 * entry['roof_share']:.0f}" for entry, _ in entries if entry and "roof_share" in entry]
    return text + (f" ({' / '.join(shares)} %)" if shares else "")


def memory(record, one):
    """Peak memory and its ratio to the weights in use."""
    peaks = [entry["peak_bytes"] for entry in record["results"].get(one["name"], {}).values() if "peak_bytes" in entry]
    if not peaks:
        return "–"
    text = f"{peaks[0] / 1e9:.2f} GB"
    return text + (f" ({peaks[0] / one['weight_bytes']:.2f})" if one.get("weight_bytes") else "")


def speed_table(record):
    groups = columns(record)
    lines = ["| | " + " | ".join(title for title, _ in groups) + " | peak memory (over weights) |",
             "|---|" + "--:|" * (len(groups) + 1)]
    for one in record["contestants"]:
        if one.get("absent"):
            lines.append(f"| {one['name']} | absent: {one['absent']} |" + " |" * len(groups))
        else:
            cells = [cell(record, one["name"], group) for _, group in groups]
            lines.append(f"| {one['name']} | " + " | ".join(cells + [memory(record, one)]) + " |")
    return "\n".join(lines)


def ratio_table(record):
    """TritLab over the peers: the median of the ratios within each round, smallest and largest beside it."""
    ours = [one for one in record["contestants"] if one["engine"] == "trit" and not one.get("absent")]
    peers = [one for one in record["contestants"] if one["engine"] != "trit" and not one.get("absent")]
    if not ours or not peers:
        return ""
    lines = ["| TritLab over | " + " | ".join(test["name"] for test in record["tests"]) + " |",
             "|---|" + "--:|" * len(record["tests"])]
    for peer in peers:
        cells = []
        for test in record["tests"]:
            one = match(ours, peer, test, record)
            ratios = paired_ratios(record["samples"], test["name"], one["name"], peer["name"]) if one else []
            cells.append(f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})" if ratios else "–")
        lines.append(f"| {peer['name']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def match(ours, peer, test, record):
    """Ours with the head nearest to the peer's in bits, of those that ran the test."""
    ran = [one for one in ours if one["head"] and test["name"] in record["results"].get(one["name"], {})]
    return min(ran, key=lambda one: abs(one["head"] - peer["head"]), default=None)


def page(record):
    """The page of one CPU."""
    roofs = []
    for test in record["tests"]:
        roof = test.get("roof_per_second")
        if roof:
            text = f"{roof * 1e-9:,.0f} Gop/s (int8)" if test["kind"] == "prefill" else f"{roof * 1e-9:.1f} GB/s (reading)"
            roofs.append(f"{test['name']} {text}")
    lines = [
        f"# The race on {record['cpu_title']}", "",
        f"{record['date']}, {record['rounds']} interleaved round{'s' if record['rounds'] != 1 else ''} (the slower types in every second), shape {record['shape']} with random weights"
        + (f", {record['layers']} layers only" if record["layers"] else "")
        + ". Tokens a second, medians; in brackets the share of the roof that the same rounds measured. "
        "**Bold** leads its column. (!): other programs took the cores in most of these measurements.", "",
        speed_table(record), "",
    ]
    if record["busy"]:
        lines += [f"**Not a quiet machine**: {record['busy']}. Compare nothing with these figures.", ""]
    ratios = ratio_table(record)
    if ratios:
        lines += [
            "TritLab over its peers at the head nearest in bits, median of the ratios within each round "
            "(smallest to largest); above 1 TritLab is faster:", "", ratios, ""]
    if roofs:
        lines += ["Roofs, medians of what the rounds measured: " + "; ".join(roofs) + ". " + peaks(record["peak"]), ""]
    lines += ["Peak memory counts what is mapped from the file; that of the packages holds the Python interpreter "
              "(about 10 MB). TritLab's load is the whole process from its start; the packages' begins after Python.",
              "", "| engine | version | commit | built by |", "|---|---|---|---|"]
    for name, told in record["engines"].items():
        if told.get("absent"):
            lines.append(f"| {name} | absent: {told['absent']} | | |")
        else:
            lines.append(f"| {name} | {told['version']} | {told['commit']} | {told['compiler']} |")
    lines += ["", "Made by `make race` (Scripts/race/README.md); the samples are in the JSON file beside this page."]
    return "\n".join(lines) + "\n"


def peaks(peak):
    """What `trit peak` said before the race, in a sentence."""
    parts = []
    for count in sorted({row["threads"] for row in peak.get("int8", [])}):
        int8 = max(row["ops_per_second"] for row in peak["int8"] if row["threads"] == count)
        memory = [row["median_bytes_per_second"] for row in peak.get("reading", [])
                  if row["threads"] == count and row["level"] == "memory"]
        parts.append(f"{int8 * 1e-9:,.0f} Gop/s and {memory[0] * 1e-9:.1f} GB/s" if memory else f"{int8 * 1e-9:,.0f} Gop/s")
    counts = sorted({row["threads"] for row in peak.get("int8", [])})
    if not parts:
        return ""
    return ("`trit peak` before the race (int8 a core, reading from memory): "
            + "; ".join(f"{text} on {count} thread{'s' if count > 1 else ''}" for text, count in zip(parts, counts)) + ".")


def section(records, folder):
    """The lines between README's markers: one for each CPU, the newest first."""
    if not records:
        return "No race is recorded yet.\n"
    lines = ["| CPU | date | | decode | prefill | |", "|---|---|---|--:|--:|---|"]
    for record in sorted(records, key=lambda r: r["date"], reverse=True):
        for one in headline(record):
            row = []
            for kind in ("decode", "prefill"):
                group = [t for t in record["tests"] if t["kind"] == kind and not t["depth"]]
                row.append(cell(record, one["name"], group))
            lines.append(f"| {record['cpu_title']} | {record['date'][:10]} | {one['name']} | {row[0]} | {row[1]} "
                         f"| [all]({folder}/{record['slug']}.md) |")
    return "\n".join(lines) + "\n"


def headline(record):
    """Our contestants with figures, and of every peer the fastest at decoding."""
    decode = [t["name"] for t in record["tests"] if t["kind"] == "decode" and not t["depth"]]
    out, engines = [], {}
    for one in record["contestants"]:
        entry = record["results"].get(one["name"], {}).get(decode[-1]) if decode else None
        if not entry:
            continue
        if one["engine"] == "trit":
            out.append(one)
        elif entry["median"] > engines.get(one["engine"], (0, None))[0]:
            engines[one["engine"]] = (entry["median"], one)
    return out + [one for _, one in engines.values()]


def as_json(record):
    """One line a key, and one a sample."""
    def text(value):
        return json.dumps(value, ensure_ascii=False)

    lines = []
    for key, value in record.items():
        if key in ("samples", "contestants", "tests") and value:
            lines.append(f"{text(key)}: [\n  " + ",\n  ".join(text(item) for item in value) + "\n ]")
        else:
            lines.append(f"{text(key)}: {text(value)}")
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def replace_section(text, lines):
    """`text` with what is between the markers replaced; None where it has no such place."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(END) < text.index(BEGIN):
        return None
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n" + lines + END + rest.split(END)[1]


def write(path, text):
    """Writes a file, whole or not at all."""
    part = path + ".part"
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(part, path)
