import Testing
import TritLab
import _TritTestSupport

@Suite struct GGUFHostileTests {
  /// A file made by hand: every part can be made wrong.
  static func file(
    magic: String = "GGUF", version: UInt32 = 3, tensorCount: UInt64? = nil,
    keyCount: UInt64? = nil,
    keys: [(inout FileBytes) -> Void] = [], tensors: [(inout FileBytes) -> Void] = [],
    data: Int = 64
  ) -> [UInt8] {
    var file = FileBytes()
    file.add(bytes: magic.utf8)
    file.add(version)
    file.add(tensorCount ?? UInt64(tensors.count), keyCount ?? UInt64(keys.count))
    for key in keys { key(&file) }
    for tensor in tensors { tensor(&file) }
    file.pad(to: 32)
    file.add(bytes: [UInt8](repeating: 0, count: data))
    return file.bytes
  }

  static func key(
    _ name: String, _ type: UInt32, _ value: @escaping (inout FileBytes) -> Void = { _ in }
  ) -> (inout FileBytes) -> Void {
    { file in
      file.add(string: name)
      file.add(type)
      value(&file)
    }
  }

  static func list(
    _ type: UInt32, _ count: UInt64, _ values: @escaping (inout FileBytes) -> Void = { _ in }
  ) -> (inout FileBytes) -> Void {
    key("k", 9) { file in
      file.add(type)
      file.add(count)
      values(&file)
    }
  }

  static func tensor(
    _ name: String = "w", _ shape: [UInt64] = [8], type: UInt32 = 0, offset: UInt64 = 0,
    dimensions: UInt32? = nil
  ) -> (inout FileBytes) -> Void {
    { file in
      file.add(string: name)
      file.add(dimensions ?? UInt32(shape.count))
      for size in shape { file.add(size) }
      file.add(type)
      file.add(offset)
    }
  }

  static func alignment(_ value: UInt32) -> (inout FileBytes) -> Void {
    key("general.alignment", 4) { $0.add(value) }
  }

  static func nested(_ depth: Int) -> (inout FileBytes) -> Void {
    key("k", 9) { file in
      for _ in 0..<depth {
        file.add(UInt32(9))
        file.add(UInt64(1))
      }
      file.add(UInt32(0))
      file.add(UInt64(0))
    }
  }

  /// What is wrong, the file, and a part of the message.
  static var hostile: [(String, [UInt8], String)] { headers + metadata + tensors }

  static let headers: [(String, [UInt8], String)] = [
    ("empty file", [], "is empty"), ("magic alone", Array("GGUF".utf8), "too short"),
    ("other magic", file(magic: "GGUX"), "not a GGUF file"),
    ("zip", file(magic: "PK\u{3}\u{4}"), "a zip archive"),
    ("older ggml", file(magic: "tjgg"), "before GGUF"),
    ("version 0", file(version: 0), "unknown GGUF version"),
    ("version 1", file(version: 1), "version 1"), ("version 4", file(version: 4), "version"),
    ("big-endian", file(version: 0x0300_0000), "big-endian"),
    ("huge tensor count", file(tensorCount: 1 << 40), "count of tensors"),
    ("largest tensor count", file(tensorCount: .max), "count of tensors"),
    ("huge key count", file(keyCount: 1 << 40), "count of key-values"),
    ("largest key count", file(keyCount: .max), "count of key-values"),
    ("more keys than there are", file(keyCount: 2, data: 0), "count of key-values"),
    (
      "tensors that are not there", file(tensorCount: 1, data: 64),
      "tensor 1 of 1: the name is empty"
    ),
  ]

  static let metadata: [(String, [UInt8], String)] = [
    ("key length huge", file(keys: [{ $0.add(UInt64.max) }]), "bytes in a string"),
    ("key length beyond", file(keys: [{ $0.add(UInt64(1000)) }]), "bytes in a string"),
    ("key no UTF-8", file(keys: [{ $0.add(UInt64(1), UInt64(0xff)) }]), "UTF-8"),
    (
      "duplicate key",
      file(keys: [key("k", 0) { $0.add(UInt8(1)) }, key("k", 0) { $0.add(UInt8(1)) }]), "twice"
    ),
    ("type 13", file(keys: [key("k", 13)]), "unknown value type"),
    ("largest type", file(keys: [key("k", .max)]), "unknown value type"),
    ("bad bool", file(keys: [key("k", 7) { $0.add(UInt8(2)) }]), "truth value"),
    ("string huge", file(keys: [key("k", 8) { $0.add(UInt64.max) }]), "bytes in a string"),
    (
      "string no UTF-8",
      file(keys: [
        key("k", 8) { file in
          file.add(UInt64(2))
          file.add(UInt8(0xc0), UInt8(0x80))
        }
      ]), "UTF-8"
    ),
    ("list of type 13", file(keys: [list(13, 0)]), "unknown value type"),
    ("huge list of bytes", file(keys: [list(0, 1 << 50)]), "numbers in a list"),
    ("huge list of int64", file(keys: [list(11, 1 << 61)]), "numbers in a list"),
    ("largest list of floats", file(keys: [list(6, .max)]), "numbers in a list"),
    ("huge list of strings", file(keys: [list(8, 1 << 40)]), "elements in a list"),
    ("huge list of bools", file(keys: [list(7, 1 << 63)]), "elements in a list"),
    ("huge list of lists", file(keys: [list(9, 1 << 60)]), "elements in a list"),
    ("bad bool in a list", file(keys: [list(7, 1) { $0.add(UInt8(9)) }]), "truth value"),
    ("string in a list too long", file(keys: [list(8, 1) { $0.add(UInt64(9999)) }]), "string"),
    ("lists nine deep", file(keys: [nested(8)]), "nested too deeply"),
    ("lists a million deep", file(keys: [nested(1_000_000)]), "nested too deeply"),
    ("alignment 0", file(keys: [alignment(0)]), "alignment"),
    ("alignment 48", file(keys: [alignment(48)]), "alignment"),
    ("alignment 2^31", file(keys: [alignment(1 << 31)]), "alignment"),
    (
      "alignment text", file(keys: [key("general.alignment", 8) { $0.add(string: "32") }]),
      "alignment"
    ),
  ]

  static let tensors: [(String, [UInt8], String)] = [
    ("name huge", file(tensorCount: 1, tensors: [{ $0.add(UInt64.max) }]), "string"),
    ("five dimensions", file(tensors: [tensor(dimensions: 5)]), "dimensions"),
    ("2^32-1 dimensions", file(tensors: [tensor(dimensions: .max)]), "dimensions"),
    ("dimension 2^64-1", file(tensors: [tensor("w", [.max])]), "impossible dimension"),
    ("dimension 2^63", file(tensors: [tensor("w", [1 << 63])]), "impossible dimension"),
    ("product overflows", file(tensors: [tensor("w", [1 << 32, 1 << 32])]), "impossible shape"),
    (
      "overflow hidden by 0", file(tensors: [tensor("w", [0, 1 << 32, 1 << 32])]),
      "impossible shape"
    ),
    ("bytes overflow", file(tensors: [tensor("w", [1 << 62])]), "impossible shape"),
    ("I2_S overflows", file(tensors: [tensor("w", [1 << 62], type: 36)]), "does not fit"),
    ("42 overflows", file(tensors: [tensor("w", [256, 1 << 54], type: 42)]), "number 42"),
    (
      "TL2 of BitNet overflows",
      file(
        keys: [key("general.architecture", 8) { $0.add(string: "bitnet") }],
        tensors: [tensor("w", [256, 1 << 54], type: 42)]), "does not fit"
    ),
    ("rows without whole blocks", file(tensors: [tensor("w", [16], type: 8)]), "does not fit"),
    ("k-quant rows of 128", file(tensors: [tensor("w", [128, 2], type: 14)]), "does not fit"),
    ("Q2_K", file(tensors: [tensor(type: 10)]), "Q2_K, which TritLab does not read"),
    ("MXFP4", file(tensors: [tensor(type: 39)]), "MXFP4"),
    ("I8_S", file(tensors: [tensor(type: 37)]), "I8_S"),
    ("type 999", file(tensors: [tensor(type: 999)]), "number 999"),
    ("duplicate tensor", file(tensors: [tensor(), tensor(offset: 32)]), "two tensors"),
    ("misaligned", file(tensors: [tensor(offset: 4)]), "misaligned"),
    ("outside", file(tensors: [tensor(offset: 64)]), "outside"),
    ("end outside", file(tensors: [tensor("w", [17])]), "outside"),
    ("offset 2^64-32", file(tensors: [tensor(offset: .max - 31)]), "outside"),
    ("offset 2^63", file(tensors: [tensor(offset: 1 << 63)]), "outside"),
    ("no data", file(tensors: [tensor()], data: 0), "outside"),
    ("same data twice", file(tensors: [tensor("a"), tensor("b")]), "overlaps"),
    ("overlap", file(tensors: [tensor("a", [16]), tensor("b", offset: 32)]), "overlaps"),
    ("overlap backwards", file(tensors: [tensor("a", offset: 32), tensor("b", [16])]), "overlaps"),
  ]

  @Test func hostileFilesAreNamedErrors() throws {
    let folder = try TemporaryFolder()
    #expect(Self.hostile.count >= 40)
    for (name, bytes, part) in Self.hostile {
      let path = try folder.write(bytes, to: "x.gguf")
      let error = #expect(throws: LabError.self, "\(name)") { try GGUFFile(path: path) }
      #expect(
        error?.kind == .badData && error?.description.contains(part) == true, "\(name): \(error)")
      #expect(error?.place?.contains(path) == true, "\(name)")
    }
  }

  static let legal: [(String, [UInt8])] = [
    ("nothing", file(data: 0)), ("version 2", file(version: 2)),
    ("alignment 1", file(keys: [alignment(1)])),
    ("lists eight deep", file(keys: [nested(7)])),
    ("empty tensor", file(tensors: [tensor("w", [0, 4], offset: 1 << 40)])),
    // So small a tensor could be of any layout by its size: the architecture tells.
    (
      "TL2 as 42",
      file(
        keys: [key("general.architecture", 8) { $0.add(string: "bitnet-b1.58") }],
        tensors: [tensor("w", [256, 1], type: 42)], data: 96)
    ),
    ("a gap", file(tensors: [tensor("a", offset: 32)])),
    ("reversed", file(tensors: [tensor("a", offset: 32), tensor("b")])),
  ]

  @Test func oddButLegalFilesOpen() throws {
    let folder = try TemporaryFolder()
    for (name, bytes) in Self.legal {
      let path = try folder.write(bytes, to: "x.gguf")
      let file = try GGUFFile(path: path)
      for info in file.tensors {
        #expect(try file.bytes(info.name).count == info.byteCount, "\(name)")
      }
    }
  }

  /// Small, with every kind of value and three tensors.
  static func valid(_ folder: TemporaryFolder) throws -> [UInt8] {
    var writer = GGUFWriter()
    for (key, value) in GGUFTests.values() { writer.set(key, value) }
    writer.add(
      try TensorContent(
        name: "a", type: .f32, shape: [2, 3], floats: AlignedBuffer<Float>(count: 6)))
    writer.add(
      try TensorContent(
        name: "b", type: .q8_0, shape: [32], floats: AlignedBuffer<Float>(count: 32)))
    writer.add(
      try TensorContent(
        name: "c", type: .i2_s, shape: [128], bytes: [UInt8](repeating: 0x55, count: 64)))
    try writer.write(to: folder.file("valid.gguf"))
    let file = try MappedFile(folder.file("valid.gguf"))
    return withExtendedLifetime(file) { Array(file.bytes) }
  }

  @Test func everyTruncationIsAnError() throws {
    let folder = try TemporaryFolder()
    let valid = try Self.valid(folder)
    for count in 0..<valid.count {
      #expect(throws: LabError.self) {
        try valid[..<count].withUnsafeBytes { try GGUFHeader($0, path: "f") }
      }
    }
  }

  @Test func flippedBytesNeverTrap() throws {
    let folder = try TemporaryFolder()
    let valid = try Self.valid(folder)
    var random = SeededRandom(seed: 2)
    var accepted = 0
    for index in valid.indices {
      for value in [0, 1, 9, 0x7f, 0x80, 0xff, UInt8(random.below(256))] {
        var changed = valid
        changed[index] = value
        guard
          let header = try? changed.withUnsafeBytes({ try GGUFHeader($0, path: "f") })
        else { continue }
        accepted += 1
        for (info, offset) in zip(header.tensors, header.offsets) {
          #expect(offset >= 0 && offset <= changed.count - info.byteCount)
        }
      }
    }
    #expect(accepted > 100)
  }
}
