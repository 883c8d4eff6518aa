import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite struct SafetensorsTests {
  static let header =
    #"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"#
    + #""b":{"dtype":"F16","shape":[4],"data_offsets":[24,32]},"#
    + #""s":{"dtype":"U8","shape":[],"data_offsets":[32,33]}}"#
  static let valid = safetensorsBytes(header, data: [UInt8](repeating: 1, count: 33))

  @Test func readsAHandMadeFile() throws {
    let folder = try TemporaryFolder()
    let file = try SafetensorsFile(path: folder.write(Self.valid, to: "x.safetensors"))
    #expect(file.tensors.map(\.name) == ["a", "b", "s"])
    #expect(file.tensors.map(\.shape) == [[2, 3], [4], []])
    #expect(file.metadata == ["format": "pt"])
    #expect(try file.floats("s")[0] == 1)
    #expect(throws: LabError.self) { try file.bytes("c") }
    #expect(throws: LabError.self) { try file.floats("c") }
  }

  @Test func writingAndReadingIsTheIdentity() throws {
    let folder = try TemporaryFolder()
    let values = FloatCodecTests.values(12, seed: 1)
    let tensors = [
      try TensorContent(name: "b", type: .u8, shape: [3], bytes: [1, 2, 3]),
      try TensorContent(name: "z", type: .f32, shape: [3, 4], floats: values),
      try TensorContent(name: "a", type: .bf16, shape: [12], floats: values),
      try TensorContent(name: "é", type: .i64, shape: [0, 5], bytes: []),
    ]
    let metadata = ["format": "pt", "a\"b": "line\nbreak"]
    let path = folder.file("w.safetensors")
    try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
    let first = try Data(contentsOf: URL(fileURLWithPath: path))
    try SafetensorsWriter.write(tensors.reversed(), metadata: metadata, to: path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first)
    let file = try SafetensorsFile(path: path)
    #expect(file.metadata == metadata)
    #expect(Set(file.tensors.map(\.name)) == ["é", "z", "a", "b"])
    #expect(try file.floats("z").elements == values.elements)
    #expect(try Array(file.bytes("b")) == [1, 2, 3])
    #expect(file.info("é")?.shape == [0, 5])
    #expect((8 + Int(first[0]) + Int(first[1]) << 8) % 8 == 0)
  }

  @Test func theWriterRefusesWhatTheFormatLacks() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("w.safetensors")
    let q8 = try TensorContent(
      name: "q", type: .q8_0, shape: [32], floats: AlignedBuffer<Float>(count: 32))
    let a = try TensorContent(name: "a", type: .u8, shape: [1], bytes: [1])
    let short = try TensorContent(name: "s", type: .u8, shape: [2]) { sink in
      try [UInt8(1)].withUnsafeBytes { try sink($0) }
    }
    for tensors in [[q8], [a, a], [short]] {
      #expect(throws: LabError.self) { try SafetensorsWriter.write(tensors, to: path) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
    #expect(throws: LabError.self) {
      try TensorContent(name: "a", type: .f32, shape: [2], bytes: [1, 2, 3])
    }
    #expect {
      try SafetensorsWriter.write([a], to: folder.file("absent/w.safetensors"))
    } throws: { ($0 as? LabError)?.kind == .cannotCreate }
  }

  static func one(_ entry: String, data: Int = 4) -> [UInt8] {
    safetensorsBytes("{\"a\":\(entry)}", data: [UInt8](repeating: 0, count: data))
  }

  static func two(_ a: String, _ b: String, data: Int = 8) -> [UInt8] {
    let entry = { (offsets: String) in
      "{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":\(offsets)}"
    }
    return safetensorsBytes(
      "{\"a\":\(entry(a)),\"b\":\(entry(b))}", data: [UInt8](repeating: 0, count: data))
  }

  static func length(_ length: UInt64, _ rest: [UInt8] = [0x7b, 0x7d]) -> [UInt8] {
    var file = FileBytes()
    file.add(length)
    file.add(bytes: rest)
    return file.bytes
  }

  /// What is wrong, the file, and a part of the message.
  static let hostile: [(String, [UInt8], String)] = [
    ("empty file", [], "is empty"), ("7 bytes", [2, 0, 0, 0, 0, 0, 0], "too short"),
    ("header beyond the file", length(3), "longer than the file"),
    ("header beyond the limit", length(100_000_001), "longer than safetensors allows"),
    ("largest length", length(.max), "longer than safetensors allows"),
    ("length with the sign bit", length(1 << 63), "longer than safetensors allows"),
    ("empty header", length(0), "does not begin with '{'"),
    ("space first", safetensorsBytes(" {}"), "does not begin with '{'"),
    ("a list", safetensorsBytes("[]"), "does not begin with '{'"),
    ("not JSON", safetensorsBytes("{x}"), "needs a key"),
    ("rest after the object", safetensorsBytes("{} {}"), "after the end"),
    ("invalid UTF-8", length(6, [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x7d]), "UTF-8"),
    ("depth bomb", safetensorsBytes("{\"a\":" + String(repeating: "[", count: 100_000)), "deeply"),
    (
      "duplicate tensor",
      safetensorsBytes(
        #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#
      ), "twice"
    ),
    ("metadata no object", safetensorsBytes(#"{"__metadata__":[]}"#), "__metadata__"),
    ("metadata no string", safetensorsBytes(#"{"__metadata__":{"a":1}}"#), "no string"),
    ("entry no object", one("[]"), "no object"), ("entry null", one("null"), "no object"),
    ("no dtype", one(#"{"shape":[4],"data_offsets":[0,4]}"#), "dtype"),
    ("dtype number", one(#"{"dtype":1,"shape":[4],"data_offsets":[0,4]}"#), "dtype"),
    ("unknown dtype", one(#"{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}"#), "F8_E4M3"),
    ("block dtype", one(#"{"dtype":"Q8_0","shape":[4],"data_offsets":[0,4]}"#), "Q8_0"),
    ("lower case", one(#"{"dtype":"u8","shape":[4],"data_offsets":[0,4]}"#), "unknown dtype"),
    ("extra key", one(#"{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1}"#), "unknown key"),
    ("no shape", one(#"{"dtype":"U8","data_offsets":[0,4]}"#), "shape"),
    ("shape number", one(#"{"dtype":"U8","shape":4,"data_offsets":[0,4]}"#), "shape"),
    ("negative size", one(#"{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}"#), "shape"),
    ("fractional size", one(#"{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}"#), "shape"),
    (
      "huge size", one(#"{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,4]}"#),
      "shape"
    ),
    (
      "overflowing product",
      one(#"{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,4]}"#), "impossible"
    ),
    (
      "overflow hidden by zero",
      one(#"{"dtype":"U8","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}"#), "impossible"
    ),
    (
      "overflowing bytes",
      one(#"{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}"#),
      "impossible"
    ),
    ("no offsets", one(#"{"dtype":"U8","shape":[4]}"#), "data_offsets"),
    ("one offset", one(#"{"dtype":"U8","shape":[4],"data_offsets":[0]}"#), "data_offsets"),
    ("three offsets", one(#"{"dtype":"U8","shape":[4],"data_offsets":[0,4,8]}"#), "data_offsets"),
    ("text offset", one(#"{"dtype":"U8","shape":[4],"data_offsets":[0,4,"x"]}"#), "data_offsets"),
    ("backwards", one(#"{"dtype":"U8","shape":[4],"data_offsets":[4,0]}"#), "data_offsets"),
    ("negative offset", one(#"{"dtype":"U8","shape":[4],"data_offsets":[-4,0]}"#), "data_offsets"),
    ("beyond the file", one(#"{"dtype":"U8","shape":[5],"data_offsets":[0,5]}"#), "outside"),
    (
      "far beyond",
      one(#"{"dtype":"U8","shape":[4],"data_offsets":[9223372036854775800,9223372036854775804]}"#),
      "outside"
    ),
    ("too few bytes", one(#"{"dtype":"F32","shape":[2],"data_offsets":[0,4]}"#), "wrong size"),
    ("too many bytes", one(#"{"dtype":"U8","shape":[3],"data_offsets":[0,4]}"#), "wrong size"),
    (
      "bytes at the end", one(#"{"dtype":"U8","shape":[4],"data_offsets":[0,4]}"#, data: 5),
      "no tensor"
    ),
    ("bytes without tensors", safetensorsBytes("{}", data: [0]), "no tensor"),
    ("hole at the start", one(#"{"dtype":"U8","shape":[3],"data_offsets":[1,4]}"#), "hole"),
    ("hole between", two("[0,4]", "[5,9]", data: 9), "hole"),
    ("same bytes twice", two("[0,4]", "[0,4]", data: 4), "overlap"),
    ("overlap", two("[0,4]", "[3,7]", data: 7), "overlap"),
  ]

  @Test func hostileFilesAreNamedErrors() throws {
    let folder = try TemporaryFolder()
    #expect(Self.hostile.count >= 40)
    for (name, bytes, part) in Self.hostile {
      let path = try folder.write(bytes, to: "x.safetensors")
      let error = #expect(throws: LabError.self, "\(name)") { try SafetensorsFile(path: path) }
      #expect(
        error?.kind == .badData && error?.description.contains(part) == true, "\(name): \(error)")
      #expect(error?.place?.contains(path) == true, "\(name)")
    }
  }

  @Test func everyTruncationIsAnError() throws {
    for count in 0..<Self.valid.count {
      #expect(throws: LabError.self) {
        try Self.valid[..<count].withUnsafeBytes { try SafetensorsHeader($0, path: "f") }
      }
    }
  }

  @Test func flippedBytesNeverTrap() throws {
    var random = SeededRandom(seed: 1)
    var accepted = 0
    for index in Self.valid.indices {
      for value in [0, 0x22, 0x2d, 0x30, 0x7f, 0xff, UInt8(random.below(256))] {
        var changed = Self.valid
        changed[index] = value
        guard
          let header = try? changed.withUnsafeBytes({ try SafetensorsHeader($0, path: "f") })
        else { continue }
        accepted += 1
        for (info, offset) in zip(header.tensors, header.offsets) {
          #expect(offset >= 8 && offset <= changed.count - info.byteCount)
        }
      }
    }
    #expect(accepted > 33)
  }
}
