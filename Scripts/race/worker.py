"""One measurement of llama.cpp or ik_llama.cpp, in a process of its own, through the package's bindings.

    python worker.py '{"binding": "ik", "action": "decode", "model": "FILE", "tokens": 64, "threads": 2}'

Runs under the Python of the virtual environment and needs nothing but the package. The last line of its output is
a JSON object; what the library had to say goes to standard error where it fails. Actions:

- `prefill`: one batch of `tokens` tokens into an empty cache, after a batch of at most 16 that does not count;
- `decode`: `tokens` tokens one by one after `depth` positions, after at most 8 that do not count;
- `load`: from before the library is loaded until the logits of one token are there;
- `fill`: `depth` positions into the cache, saved to `state`: `decode` reads them back rather than compute them;
- `hello`: nothing but loading the library;
- `quantize`: `model` to `output` as llama.cpp's type number `ftype`, the embedding in Q6_K.

Only llama_decode is timed, as llama-bench does: no tokenizer, no sampling.
"""

import ctypes
import glob
import importlib
import json
import os
import sys
import time
import types

PACKAGES = {"ik": ("ik_llama_cpp", "_ctypes_api"), "mainline": ("llama_cpp", "llama_cpp")}
Q6_K = 14


def bindings(name):
    """The module of C declarations, without the package around it, which would load numpy and much else."""
    package, module = PACKAGES[name]
    places = [os.path.join(path, package) for path in sys.path if os.path.isdir(os.path.join(path, package))]
    if not places:
        raise RuntimeError(f"the package {package} is not installed")
    shell = types.ModuleType(package)
    shell.__path__ = places[:1]
    sys.modules[package] = shell
    return importlib.import_module(f"{package}.{module}")


class Library:
    """llama.h as both packages declare it, and the few calls of which only one has a declaration."""

    def __init__(self, name):
        self.name = name
        self.api = bindings(name)
        self.c = self.api._lib
        self.said = []
        kind = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
        self.listener = kind(lambda _, text, __: self.said.append((text or b"").decode("utf-8", "replace")))
        self.c.llama_log_set.argtypes = [kind, ctypes.c_void_p]
        self.c.llama_log_set(self.listener, None)
        self.c.llama_synchronize.argtypes = [ctypes.c_void_p]
        self.c.llama_decode.argtypes = [ctypes.c_void_p, self.api.llama_batch]
        self.c.llama_decode.restype = ctypes.c_int32
        self.api.llama_backend_init()

    def fail(self, what):
        lines = [line.strip() for line in "".join(self.said).splitlines() if line.strip()]
        told = [line for line in lines if "error" in line.lower()] or lines
        sys.exit("\n".join(lines[-8:] + [f"error: {what}" + (f": {told[-1]}" if told else "")]))

    def load(self, path):
        self.model = self.api.llama_model_load_from_file(path.encode(), self.api.llama_model_default_params())
        if not self.model:
            self.fail("the model does not load")

    def open(self, positions, threads):
        parameters = self.api.llama_context_default_params()
        parameters.n_ctx = max(512, positions)
        parameters.n_batch = 512
        parameters.n_ubatch = 512
        parameters.n_threads = threads
        parameters.n_threads_batch = threads
        self.context = self.api.llama_init_from_model(self.model, parameters)
        if not self.context:
            self.fail("no context comes out")

    def run(self, tokens, start):
        """One batch of token ids at positions from `start`; logits of the last."""
        batch = self.api.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            batch.token[index] = token
            batch.pos[index] = start + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = 0
            batch.logits[index] = index == len(tokens) - 1
        code = self.c.llama_decode(self.context, batch)
        self.c.llama_synchronize(self.context)
        self.api.llama_batch_free(batch)
        if code != 0:
            self.fail(f"llama_decode gives {code}")

    def clear(self):
        if self.name == "ik":
            self.api.llama_kv_cache_clear(self.context)
        else:
            self.api.llama_memory_clear(self.api.llama_get_memory(self.context), True)

    def save(self, path, count):
        call = self.c.llama_state_save_file
        call.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_int32), ctypes.c_size_t]
        call.restype = ctypes.c_bool
        if not call(self.context, path.encode(), (ctypes.c_int32 * count)(*ids(count)), count):
            self.fail("the cache cannot be saved")

    def restore(self, path, count):
        call = self.c.llama_state_load_file
        call.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_int32), ctypes.c_size_t,
            ctypes.POINTER(ctypes.c_size_t)]
        call.restype = ctypes.c_bool
        found = ctypes.c_size_t()
        held = call(self.context, path.encode(), (ctypes.c_int32 * count)(), count, ctypes.byref(found))
        if not held or found.value != count:
            self.fail(f"the saved cache gives {found.value} positions rather than {count}")


def ids(count):
    """Token ids that the dummy's vocabulary has, the same on every machine."""
    value, out = 12345, []
    for _ in range(count):
        value = (value * 1103515245 + 12345) % (1 << 31)
        out.append((value >> 8) % 30000)
    return out


def waiting():
    """Seconds that the threads of this process wanted a core and had none; None where the system does not say."""
    total, found = 0, False
    for path in glob.glob("/proc/self/task/*/schedstat"):
        try:
            with open(path) as file:
                total += int(file.read().split()[1])
                found = True
        except (OSError, IndexError, ValueError):
            continue
    return total * 1e-9 if found else None


def timed(work):
    """Seconds of `work`, and which share of the time that threads were ready to run they waited for a core."""
    waited, used, start = waiting(), time.process_time(), time.perf_counter()
    work()
    seconds, used, after = time.perf_counter() - start, time.process_time() - used, waiting()
    share = None
    if waited is not None and after is not None:
        waited = max(0.0, after - waited)
        share = waited / (used + waited) if used + waited > 0 else None
    return {"seconds": seconds, "wait_share": share}


def prefill(job):
    library = Library(job["binding"])
    library.load(job["model"])
    library.open(job["tokens"], job["threads"])
    library.run(ids(max(1, min(16, job["tokens"] // 4))), 0)
    library.clear()
    return timed(lambda: library.run(ids(job["tokens"]), 0))


def decode(job):
    library = Library(job["binding"])
    library.load(job["model"])
    depth, tokens, warm = job.get("depth", 0), job["tokens"], max(1, min(8, job["tokens"] // 4))
    library.open(max(depth + 64, depth + warm + tokens), job["threads"])
    if depth:
        library.restore(job["state"], depth)
    stream = ids(warm + tokens)
    for index in range(warm):
        library.run([stream[index]], depth + index)

    def all_tokens():
        for index in range(warm, warm + tokens):
            library.run([stream[index]], depth + index)

    return timed(all_tokens)


def load(job):
    start = time.perf_counter()
    library = Library(job["binding"])
    library.load(job["model"])
    library.open(512, job["threads"])
    library.run(ids(1), 0)
    return {"seconds": time.perf_counter() - start}


def fill(job):
    library = Library(job["binding"])
    library.load(job["model"])
    depth = job["depth"]
    library.open(depth + 64, job["threads"])
    stream = ids(depth)
    for start in range(0, depth, 512):
        library.run(stream[start:start + 512], start)
    library.save(job["state"], depth)
    return {}


def hello(job):
    Library(job["binding"])
    return {}


def quantize(job):
    library = Library(job["binding"])
    parameters = library.api.llama_model_quantize_default_params()
    parameters.ftype = job["ftype"]
    parameters.token_embedding_type = Q6_K
    parameters.allow_requantize = True
    parameters.nthread = job["threads"]
    code = library.api.llama_model_quantize(job["model"].encode(), job["output"].encode(), ctypes.byref(parameters))
    if code != 0:
        library.fail(f"llama_model_quantize gives {code}")
    return {}


ACTIONS = {"hello": hello, "prefill": prefill, "decode": decode, "load": load, "fill": fill, "quantize": quantize}

if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    try:
        told = ACTIONS[asked["action"]](asked)
    except (AttributeError, ImportError, OSError, RuntimeError) as problem:
        sys.exit(f"error: {type(problem).__name__}: {problem}")
    print(json.dumps(told), flush=True)
    # Without the destructors of a library that may still have threads.
    os._exit(0)
