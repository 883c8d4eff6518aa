"""The header of a GGUF file: what the race has to read, and the one thing it has to change.

Layout (ggml's docs/gguf.md, version 3): magic, version, number of tensors, number of keys; the keys with typed
values; one record a tensor; padding to `general.alignment`; the data, at offsets from where it begins. A changed
key moves the data as a whole, so the offsets stay as they are.
"""

import os
import shutil
import struct

# Bytes of the scalar types by number; 8 is a string, 9 an array.
SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
FORMATS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9
# More than any model's header; a larger count is a damaged file.
MOST = 1 << 24


class Header:
    """The keys of a file, the raw records of its tensors, and where its data begins."""

    def __init__(self, path):
        self.path = path
        self.size = os.path.getsize(path)
        with open(path, "rb") as file:
            magic, version, tensors, keys = struct.unpack("<4sIQQ", self._take(file, 24))
            if magic != b"GGUF" or version not in (2, 3):
                raise ValueError(f"{path}: no GGUF file of version 2 or 3 (magic {magic!r}, version {version})")
            if tensors > MOST or keys > MOST:
                raise ValueError(f"{path}: {tensors} tensors and {keys} keys; the file is damaged")
            self.version, self.tensors = version, tensors
            # Name, type, raw bytes of the value.
            self.keys = []
            for _ in range(keys):
                name = self._string(file)
                (kind,) = struct.unpack("<I", self._take(file, 4))
                start = file.tell()
                self._skip(file, kind)
                end = file.tell()
                file.seek(start)
                self.keys.append((name, kind, self._take(file, end - start)))
            start = file.tell()
            for _ in range(tensors):
                self._string(file)
                (dimensions,) = struct.unpack("<I", self._take(file, 4))
                if dimensions > 8:
                    raise ValueError(f"{path}: a tensor of {dimensions} dimensions; the file is damaged")
                self._take(file, 8 * dimensions + 4 + 8)
            end = file.tell()
            file.seek(start)
            self.records = self._take(file, end - start)
        alignment = self.number("general.alignment", 32)
        self.data = -(-end // alignment) * alignment

    def _take(self, file, count):
        if count > self.size:
            raise ValueError(f"{self.path}: a field of {count} bytes in a file of {self.size}; the file is damaged")
        data = file.read(count)
        if len(data) < count:
            raise ValueError(f"{self.path}: ends at {self.size} bytes, inside its header; make it again")
        return data

    def _string(self, file):
        (count,) = struct.unpack("<Q", self._take(file, 8))
        return self._take(file, count).decode("utf-8", "replace")

    def _skip(self, file, kind):
        if kind in SCALARS:
            self._take(file, SCALARS[kind])
        elif kind == STRING:
            (count,) = struct.unpack("<Q", self._take(file, 8))
            self._take(file, count)
        elif kind == ARRAY:
            element, count = struct.unpack("<IQ", self._take(file, 12))
            if element in SCALARS:
                self._take(file, SCALARS[element] * count)
            elif count > MOST or element not in (STRING, ARRAY):
                raise ValueError(f"{self.path}: an array of {count} of type {element}; the file is damaged")
            else:
                for _ in range(count):
                    self._skip(file, element)
        else:
            raise ValueError(f"{self.path}: a value of type {kind}, which GGUF does not have; the file is damaged")

    def number(self, name, default=None):
        """The value of a numeric key."""
        for key, kind, raw in self.keys:
            if key == name and kind in FORMATS:
                return struct.unpack(FORMATS[kind], raw)[0]
        return default

    def text(self, name, default=None):
        """The value of a string key."""
        for key, kind, raw in self.keys:
            if key == name and kind == STRING:
                return raw[8:].decode("utf-8", "replace")
        return default

    @property
    def data_bytes(self):
        """Bytes of all tensors: what a token reads once, but for keys and values."""
        return self.size - self.data


def rename_architecture(source, target, architecture):
    """Copies `source` to `target` under another architecture; keys of the old one get its name."""
    header = Header(source)
    old = header.text("general.architecture")
    keys = b""
    for name, kind, raw in header.keys:
        if name == "general.architecture":
            raw = struct.pack("<Q", len(architecture)) + architecture.encode()
        elif name.startswith(old + "."):
            name = architecture + name[len(old):]
        keys += struct.pack("<Q", len(name.encode())) + name.encode() + struct.pack("<I", kind) + raw
    head = struct.pack("<4sIQQ", b"GGUF", header.version, header.tensors, len(header.keys)) + keys + header.records
    alignment = header.number("general.alignment", 32)
    head += b"\0" * (-len(head) % alignment)
    with open(source, "rb") as data, open(target, "wb") as out:
        out.write(head)
        data.seek(header.data)
        shutil.copyfileobj(data, out, 1 << 22)
