"""The same trits in every container: `trit dummy` makes them, `trit export` and the peers' own quantizers repack.

    dummy      I2_S, f16 head (trit)
    i2_s-q6_k  the same with a Q6_K head, the source of all below; what bitnet.cpp reads
    iq2_bn_r4, iq2_bn            by ik_llama.cpp's llama-quantize
    tq2_0      by trit export, architecture `bitnet`: mainline llama.cpp has no bitnet-b1.58. Its feed-forward gate is
               SiLU rather than squared ReLU: as many weights, as much time.
    tq1_0, q2_0, q4_0            from it by llama.cpp's llama_model_quantize
"""

import os

import gguf
import process
from contest import Absent

# llama_ftype of llama.cpp's llama.h.
MAINLINE_TYPES = {"q4_0": 2, "tq1_0": 36, "q2_0": 41}


class Models:
    """Files of one shape in a folder; each is made when it is first asked for, and appears whole or not at all."""

    def __init__(self, folder, shape, trit, engines, say):
        self.folder, self.shape, self.trit, self.engines, self.say = folder, shape, trit, engines, say

    def path(self, name):
        """The file of `name`, made if it is not there. `Absent` where it cannot be made."""
        path = os.path.join(self.folder, name + ".gguf")
        if not os.path.exists(path):
            self.say(f"writing {name}.gguf")
            part = path + ".part"
            try:
                os.makedirs(self.folder, exist_ok=True)
                self._make(name, part)
                gguf.Header(part)
                os.replace(part, path)
            except (process.Failed, ValueError, OSError) as problem:
                raise Absent(f"{name} cannot be made: {problem}") from problem
            finally:
                if os.path.exists(part):
                    os.remove(part)
        return path

    def _make(self, name, part):
        if name == "dummy":
            layers = ["--layers", str(self.shape.layers)] if self.shape.layers else []
            process.run([self.trit, "dummy", "--preset", self.shape.preset, "-o", part] + layers)
        elif name == "i2_s-q6_k":
            self._export(part, "i2_s")
        elif name == "tq2_0":
            exported = part + ".export"
            try:
                self._export(exported, "tq2_0")
                gguf.rename_architecture(exported, part, "bitnet")
            finally:
                if os.path.exists(exported):
                    os.remove(exported)
        elif name.startswith("iq2_bn"):
            self.engines["ik"].quantize(self.path("i2_s-q6_k"), part, name.upper())
        else:
            self.engines["mainline"].quantize(self.path("tq2_0"), part, MAINLINE_TYPES[name])

    def _export(self, part, kind):
        process.run(
            [self.trit, "export", "-m", self.path("dummy"), "-o", part, "--type", kind, "--embedding", "q6_k"])

    def data_bytes(self, name):
        """Bytes of the tensors of `name`."""
        return gguf.Header(self.path(name)).data_bytes

    def cache_bytes_per_position(self):
        """Bytes of keys and values in float16 that one position holds."""
        header = gguf.Header(self.path("dummy"))
        architecture = header.text("general.architecture")
        number = lambda key: header.number(f"{architecture}.{key}")  # noqa: E731
        heads, size = number("attention.head_count_kv"), number("attention.key_length")
        return number("block_count") * heads * size * 2 * 2
