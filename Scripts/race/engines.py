"""The engines behind one interface: `version`, `ready` (or Absent), `prepare`, `measure`."""

import glob
import json
import os
import re

import process
from contest import Absent

HERE = os.path.dirname(os.path.abspath(__file__))
# A quiet machine shows under 1 % of waiting (the limit of `trit bench`).
WAITING = 0.05


class Engine:
    """What the race asks of each."""

    name = ""

    def ready(self):
        """`Absent` with the reason where it cannot run."""

    def version(self):
        """What the record calls it: version and commit."""
        raise NotImplementedError

    def prepare(self, model, tests, threads):
        """What has to exist before the race, beside the model's file."""

    def measure(self, contestant, test, model):
        """One measurement: (value, peak bytes or 0, why it was disturbed or nothing, more)."""
        raise NotImplementedError


class Trit(Engine):
    name = "TritLab"

    def __init__(self, program):
        self.program = program

    def ready(self):
        if not os.access(self.program, os.X_OK):
            raise Absent(f"{self.program} is not a program; make build")

    def version(self):
        lines = process.run([self.program, "--version"]).out.split("\n")
        commit = next((line.split()[1] for line in lines if line.startswith("commit:")), "unknown")
        swift = next((line.split()[1] for line in lines if line.startswith("swift:")), "")
        return {"version": lines[0], "commit": commit[:12], "compiler": f"Swift {swift}"}

    def peak(self, threads):
        """`trit peak`: roofs of the whole machine."""
        counts = ",".join(str(count) for count in threads)
        return json.loads(process.run([self.program, "peak", "--json", "-t", counts]).out)

    def measure(self, contestant, test, model):
        if test.kind == "load":
            result = process.run(
                [self.program, "generate", "-m", model, "-p", "a", "-n", "1", "-c", "512", "-t", str(test.threads)]
                + list(contestant.options))
            return result.wall, result.peak_bytes, "", {}
        # A short test goes first, in the same engine: a whole warm-up would double the time of the race. A deep one
        # is warm from filling its cache.
        warm, length = ("", str(test.tokens)) if test.depth else (
            ("16," if test.kind == "prefill" else "8,"), str(test.tokens))
        sizes = ["-p", warm + length, "-n", "0"] if test.kind == "prefill" else ["-p", "0", "-n", warm + length]
        command = [self.program, "bench", "-m", model, "-t", str(test.threads), "-r", "1", "--no-warmup", "-o", "json"]
        command += sizes + (["-d", str(test.depth)] if test.depth else []) + list(contestant.options)
        result = process.run(command)
        row = json.loads(result.out)[-1]
        if row["n_prompt" if test.kind == "prefill" else "n_gen"] != test.tokens:
            raise process.Failed("the last row of trit bench is not the test that was asked for")
        more = {key: row.get(key) for key in (
            "roof", "roof_per_token", "roof_per_second", "bytes_per_token", "weight_bytes", "kernel", "head", "cache")}
        return row["avg_ts"], 0, row.get("disturbed") or "", more


class Bindings(Engine):
    """llama.cpp and ik_llama.cpp, by the packages that install.sh builds."""

    def __init__(self, key, name, home):
        self.key, self.name, self.home = key, name, home
        self.python = os.path.join(home, "venv", "bin", "python")
        self.package, self.distribution = {
            "ik": ("ik_llama_cpp", "ik-llama-cpp-python"),
            "mainline": ("llama_cpp", "llama-cpp-python"),
        }[key]

    def folder(self):
        places = glob.glob(os.path.join(self.home, "venv", "lib", "python*", "site-packages", self.package))
        if not places:
            raise Absent(f"{self.distribution} is not built; Scripts/race/install.sh {self.key}")
        return places[0]

    def ready(self):
        self.folder()
        try:
            self._work(action="hello")
        except process.Failed as problem:
            raise Absent(f"{self.distribution} does not load: {problem}") from problem

    def version(self):
        meta = glob.glob(os.path.join(
            self.home, "venv", "lib", "python*", "site-packages", self.package + "*.dist-info", "METADATA"))
        number = ""
        if meta:
            with open(meta[0], encoding="utf-8") as file:
                found = re.search(r"^Version: (\S+)", file.read(), re.M)
                number = found.group(1) if found else ""
        out = {"version": f"{self.distribution} {number}", "commit": "", "compiler": ""}
        source = os.path.join(self.home, "source", self.distribution.replace("-", "_") + "-" + number)
        # llama-cpp-python's change log names the commit; ik's package does not, so its archive's digest stands for it.
        try:
            with open(os.path.join(source, "CHANGELOG.md"), encoding="utf-8") as file:
                found = re.search(r"llama\.cpp@([0-9a-f]{7,40})", file.read())
                out["commit"] = found.group(1) if found else ""
        except OSError:
            pass
        if not out["commit"]:
            out["commit"] = digest(source + ".tar.gz")
        built = glob.glob(os.path.join(self.home, "build", f"{self.distribution}-{number}", "CMakeCache.txt"))
        out["compiler"] = compiler(built[0]) if built else "wheel, not native"
        return out

    def quantize(self, source, target, kind):
        if self.key == "ik":
            program = os.path.join(self.folder(), "bin", "llama-quantize")
            process.run(
                [program, "--allow-requantize", "--token-embedding-type", "q6_K", source, target, kind,
                 str(os.cpu_count() or 1)],
                self._environment())
        else:
            self._work(action="quantize", model=source, output=target, ftype=kind, threads=os.cpu_count() or 1)

    def prepare(self, model, tests, threads):
        for test in tests:
            if test.depth and not os.path.exists(self._state(model, test)):
                part = self._state(model, test) + ".part"
                try:
                    self._work(action="fill", model=model, depth=test.depth, state=part, threads=threads)
                    os.replace(part, self._state(model, test))
                except process.Failed as problem:
                    raise Absent(f"its cache cannot be filled: {problem}") from problem
                finally:
                    if os.path.exists(part):
                        os.remove(part)

    def measure(self, contestant, test, model):
        job = {"action": test.kind, "model": model, "tokens": test.tokens, "threads": test.threads}
        if test.depth:
            job.update(depth=test.depth, state=self._state(model, test))
        said, result = self._work(**job)
        if test.kind == "load":
            return said["seconds"], result.peak_bytes, "", {}
        share = said.get("wait_share")
        disturbed = f"its threads waited for a core {100 * share:.0f} % of the time" if (share or 0) > WAITING else ""
        return test.tokens / said["seconds"], 0, disturbed, {}

    def _environment(self):
        # Built from source, ik's libraries do not say where the other one of them lies.
        return {"LD_LIBRARY_PATH": os.path.join(self.folder(), "lib")}

    def _state(self, model, test):
        # The size of the file stands for its content: another shape or type has another size.
        return f"{model[:-len('.gguf')]}-{os.path.getsize(model)}-{test.depth}.state"

    def _work(self, **job):
        result = process.run(
            [self.python, os.path.join(HERE, "worker.py"), json.dumps({"binding": self.key, **job})],
            self._environment())
        try:
            return json.loads(result.out.strip().splitlines()[-1]), result
        except (IndexError, ValueError) as problem:
            raise process.Failed(f"no figures came out of {self.distribution}") from problem


class BitNet(Engine):
    """bitnet.cpp by its llama-bench, which RACE_BITNET_BENCH names; it has no package."""

    name = "bitnet.cpp"

    def __init__(self, program):
        self.program = program
        self.told = {}

    def ready(self):
        if not self.program:
            raise Absent("not built here; RACE_BITNET_BENCH names its llama-bench where it is")
        if not os.access(self.program, os.X_OK):
            raise Absent(f"RACE_BITNET_BENCH names {os.path.basename(self.program)}, which is not a program")

    def version(self):
        commit = self.told.get("build_commit", "unknown")
        return {"version": f"llama-bench, build {self.told.get('build_number', '?')}", "commit": commit, "compiler": ""}

    def measure(self, contestant, test, model):
        sizes = ["-p", str(test.tokens), "-n", "0"] if test.kind == "prefill" else ["-p", "0", "-n", str(test.tokens)]
        # bitnet.cpp's own benchmark runs with one prompt token at a time; 512 is its faster way.
        command = [self.program, "-m", model, "-t", str(test.threads), "-r", "1", "-ngl", "0", "-o", "json"] + sizes
        result = process.run(command)
        try:
            # Some builds print other lines around the JSON.
            text = result.out[result.out.index("["):result.out.rindex("]") + 1]
            row = json.loads(text)[-1]
            speed = float(row["avg_ts"])
        except (ValueError, LookupError, TypeError) as problem:
            raise process.Failed("no JSON of llama-bench came out") from problem
        self.told = row
        return speed, 0, "", {}


def compiler(cache):
    """The compiler and the flag of nativeness in a CMakeCache.txt."""
    with open(cache, encoding="utf-8", errors="replace") as file:
        text = file.read()
    native = re.search(r"^GGML_NATIVE:BOOL=(\S+)", text, re.M)
    path = re.search(r"^CMAKE_CXX_COMPILER:\w+=(\S+)", text, re.M)
    name = os.path.basename(path.group(1)) if path else "?"
    try:
        words = process.run([path.group(1), "--version"]).out.splitlines()[0] if path else name
        found = re.search(r"\d+\.\d+\.\d+", words)
        name = f"{name} {found.group(0)}" if found else name
    except (process.Failed, IndexError):
        pass
    is_native = native and native.group(1).upper() in ("ON", "1", "TRUE", "YES")
    return name + (", native" if is_native else ", not native")


def digest(path):
    """The SHA-256 of an archive, its first 12 digits, or nothing."""
    import hashlib

    try:
        with open(path, "rb") as file:
            return "sdist sha256 " + hashlib.sha256(file.read()).hexdigest()[:12]
    except OSError:
        return ""
