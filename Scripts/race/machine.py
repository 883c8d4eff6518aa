"""The machine of a race: its CPU by name and generation, and how busy it is."""

import os
import platform
import re
import time

# Families and models of CPUIDs whose brand names do not tell the generation (AMD revision guides; Intel SDM vol. 4).
AMD = {
    23: [((0x00, 0x2F), "Zen"), ((0x30, 0xFF), "Zen 2")],
    25: [((0x10, 0x1F), "Zen 4"), ((0x60, 0x7F), "Zen 4"), ((0xA0, 0xAF), "Zen 4"), ((0x00, 0xFF), "Zen 3")],
    26: [((0x00, 0xFF), "Zen 5")],
}
INTEL = {
    0x3F: "Haswell", 0x4F: "Broadwell", 0x55: "Skylake", 0x6A: "Ice Lake", 0x6C: "Ice Lake", 0x8F: "Sapphire Rapids",
    0xCF: "Emerald Rapids", 0xAD: "Granite Rapids", 0xAE: "Granite Rapids", 0x97: "Alder Lake", 0x9A: "Alder Lake",
    0xB7: "Raptor Lake",
}


def generation(vendor, family, model):
    """The generation of a CPU by its CPUID, or nothing."""
    if vendor == "AuthenticAMD":
        for (low, high), name in AMD.get(family, []):
            if low <= model <= high:
                return name
    if vendor == "GenuineIntel" and family == 6:
        return INTEL.get(model, "")
    return ""


def fields(text):
    """The first processor of /proc/cpuinfo."""
    out = {}
    for line in text.splitlines():
        if ":" in line:
            key, value = line.split(":", 1)
            out.setdefault(key.strip(), value.strip())
    return out


def describe(cpuinfo=None):
    """Name, generation, cores and memory of this machine."""
    if cpuinfo is None:
        try:
            with open("/proc/cpuinfo") as file:
                cpuinfo = file.read()
        except OSError:
            cpuinfo = ""
    found = fields(cpuinfo)
    name = found.get("model name") or platform.processor() or platform.machine()
    try:
        ids = int(found["cpu family"]), int(found["model"])
    except (KeyError, ValueError):
        ids = None
    kind = generation(found.get("vendor_id", ""), *ids) if ids else ""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        memory = 0
    return {
        "name": re.sub(r"\((R|TM)\)|\s+CPU|\s*@.*|\s+\d+-Core Processor", "", name).strip(),
        "generation": kind,
        "family_model": list(ids) if ids else None,
        "cores": os.cpu_count() or 1,
        "memory_bytes": memory,
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
    }


def title(cpu):
    """As `AMD EPYC, Zen 4, 2 cores`."""
    cores = f"{cpu['cores']} core" + ("s" if cpu["cores"] != 1 else "")
    return ", ".join(part for part in (cpu["name"], cpu["generation"], cores) if part)


def slug(cpu):
    """The name of the CPU's files."""
    return re.sub(r"[^a-z0-9]+", "-", title(cpu).lower()).strip("-")


def ticks():
    """Time of all cores that was used or taken, and all of it, in ticks (/proc/stat); None where nothing tells."""
    try:
        with open("/proc/stat") as file:
            values = [int(word) for word in file.readline().split()[1:9]]
    except (OSError, ValueError):
        return None
    # user nice system idle iowait irq softirq steal
    return sum(values) - values[3] - values[4], sum(values)


def cores_in_use(seconds=2.0):
    """How many cores other programs use, over some seconds in which this one sleeps."""
    before = ticks()
    time.sleep(seconds)
    after = ticks()
    if before is None or after is None or after[1] <= before[1]:
        return None
    return (after[0] - before[0]) / (after[1] - before[1]) * (os.cpu_count() or 1)
