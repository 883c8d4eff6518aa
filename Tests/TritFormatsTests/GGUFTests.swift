import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite struct GGUFTests {
  static func values() -> [(String, GGUFValue)] {
    [
      ("general.architecture", .string("test")), ("u8", .uint8(255)), ("i8", .int8(-128)),
      ("u16", .uint16(65535)), ("i16", .int16(-32768)), ("u32", .uint32(.max)),
      ("i32", .int32(.min)),
      ("u64", .uint64(.max)), ("i64", .int64(.min)), ("f32", .float32(1.5)),
      ("f64", .float64(-0.1)),
      ("true", .bool(true)), ("text", .string("é\n😀")), ("empty", .string("")),
      ("tokens", .array(.string(["a", "", "é"]))), ("scores", .array(.float32([1, -2.5]))),
      ("types", .array(.int32([1, -6]))), ("flags", .array(.bool([true, false]))),
      ("bytes", .array(.uint8([0, 255]))), ("int8s", .array(.int8([-1, 1]))),
      ("u16s", .array(.uint16([7]))), ("i16s", .array(.int16([-7]))),
      ("u32s", .array(.uint32([7]))), ("u64s", .array(.uint64([7]))),
      ("i64s", .array(.int64([-7]))), ("doubles", .array(.float64([0.25]))),
      ("nested", .array(.array([.int32([1, 2]), .string(["x"]), .array([])]))),
      ("none", .array(.string([]))),
    ]
  }

  @Test(arguments: [32, 64, 4096]) func writingAndReadingIsTheIdentity(alignment: Int) throws {
    let folder = try TemporaryFolder()
    var writer = GGUFWriter()
    for (key, value) in Self.values() { writer.set(key, value) }
    if alignment != 32 { writer.set("general.alignment", .uint32(UInt32(alignment))) }
    let floats = FloatCodecTests.values(512, seed: 4)
    var expected: [String: [UInt8]] = [:]
    for type in FloatEncoding.types {
      writer.add(try TensorContent(name: type.name, type: type, shape: [2, 256], floats: floats))
      expected[type.name] = try FloatEncoding.encode(floats, as: type)
    }
    for (number, type) in [TensorType.tq1_0, .tq2_0, .i2_s, .tl1, .i8].enumerated() {
      let size = try type.byteCount(shape: [3, 256])
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
      writer.add(try TensorContent(name: type.name, type: type, shape: [3, 256], bytes: bytes))
      expected[type.name] = bytes
    }
    writer.add(
      try TensorContent(name: "scalar", type: .f32, shape: [], floats: AlignedBuffer<Float>([2])))
    let path = folder.file("x.gguf")
    try writer.write(to: path)
    let file = try GGUFFile(path: path)
    #expect(file.version == 3 && file.alignment == alignment && file.dataOffset % alignment == 0)
    #expect(file.metadata.map(\.key) == writer.metadata.map(\.key))
    for (key, value) in Self.values() { #expect(file[key] == value) }
    for (name, bytes) in expected { #expect(try Array(file.bytes(name)) == bytes) }
    #expect(file.info("F32")?.shape == [2, 256] && file.info("scalar")?.shape == [])
    #expect(try file.floats("scalar")[0] == 2)
    #expect(try file.floats("F32").elements == floats.elements)
  }

  /// JSON has no infinities: the value is null, and beside it stands what the file holds.
  @Test func numbersThatJSONLacksAreNull() throws {
    let folder = try TemporaryFolder()
    var writer = GGUFWriter()
    writer.set("x.bad", .float32(.infinity))
    writer.set("x.fine", .float32(0.5))
    try writer.write(to: folder.file("x.gguf"))
    let listing = TensorListing.json(try TensorFile.open(folder.file("x.gguf")))
    let metadata = try #require(listing["metadata"])
    #expect(metadata["x.bad"]?["value"] == .null && metadata["x.bad"]?["undefined"] == "inf")
    #expect(metadata["x.fine"]?["value"] == .number("0.5"))
    #expect(metadata["x.fine"]?["undefined"] == nil)
  }

  @Test func accessorsConvertOnlyWhatFits() {
    let values = Dictionary(uniqueKeysWithValues: Self.values())
    #expect(values["u8"]?.integer == 255 && values["u64"]?.integer == nil)
    #expect(values["u64"]?.double == 0x1p64 && values["i8"]?.double == -128)
    #expect(values["f32"]?.integer == nil && values["f32"]?.double == 1.5)
    #expect(values["text"]?.integer == nil && values["text"]?.string == "é\n😀")
    #expect(values["types"]?.integers == [1, -6] && values["types"]?.floats == nil)
    #expect(values["scores"]?.floats == [1, -2.5] && values["scores"]?.integers == nil)
    #expect(values["tokens"]?.strings == ["a", "", "é"] && values["true"]?.bool == true)
  }

  /// Sizes from bitnet.cpp and from its TL2 allocation rule, as measured on its files.
  @Test func containerSizesAreThoseOfBitnetCpp() throws {
    #expect(try TensorType.i2_s.byteCount(shape: [2560, 2560]) == 1_638_432)
    #expect(try TensorType.i2_s.byteCount(shape: [640, 2560]) == 409_632)
    #expect(try TensorType.tl1.byteCount(shape: [3200, 8640]) == 3200 * 8640 / 4 + 32)
    let tl2 = [
      ([3200, 8640], 5_794_176), ([1536, 4096], 1_327_136), ([1536, 1536], 507_936),
      ([14336, 4096], 12_386_336), ([1024, 4096], 884_768), ([4096, 4096], 3_538_976),
    ]
    for (shape, size) in tl2 { #expect(try TensorType.tl2.byteCount(shape: shape) == size) }
    #expect(try TensorType.tq1_0.byteCount(shape: [2, 256]) == 108)
    #expect(try TensorType.tq2_0.byteCount(shape: [2, 256]) == 132)
    #expect(throws: LabError.self) { try TensorType.q6_k.byteCount(shape: [256, 128]) }
    #expect(throws: LabError.self) { try TensorType.i2_s.byteCount(shape: [3, 3]) }
    #expect(throws: LabError.self) { try TensorType.tl2.byteCount(shape: [3, 128]) }
  }

  @Test func theWriterRefusesWhatTheFormatLacks() throws {
    let folder = try TemporaryFolder()
    let tensor = { (name: String, type: TensorType, shape: [Int]) in
      try TensorContent(
        name: name, type: type, shape: shape,
        bytes: [UInt8](repeating: 0, count: try type.byteCount(shape: shape)))
    }
    let cases = [
      [try tensor("a", .u16, [2])], [try tensor("a", .i8, [2]), try tensor("a", .i8, [2])],
      [try tensor("a", .i8, [1, 1, 1, 1, 2])],
    ]
    for tensors in cases {
      var writer = GGUFWriter()
      for tensor in tensors { writer.add(tensor) }
      #expect(throws: LabError.self) { try writer.write(to: folder.file("x.gguf")) }
    }
    for value in [GGUFValue.uint32(0), .uint32(48), .int32(32), .string("32")] {
      var writer = GGUFWriter()
      writer.set("general.alignment", value)
      #expect(throws: LabError.self) { try writer.write(to: folder.file("x.gguf")) }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test func listsLikeGGUFDump() throws {
    let folder = try TemporaryFolder()
    var writer = GGUFWriter()
    writer.set("general.name", .string("bad\u{1b}[2J" + String(repeating: "x", count: 100)))
    writer.set("list", .array(.int32(Array(0..<100))))
    writer.add(
      try TensorContent(
        name: "w", type: .f32, shape: [2, 3], floats: AlignedBuffer<Float>(count: 6)))
    try writer.write(to: folder.file("x.gguf"))
    let file = try GGUFFile(path: folder.file("x.gguf"))
    let lines = TensorListing.lines(file)
    #expect(lines.contains("      1:          6 |     3,     2,     1,     1 | F32     | w"))
    #expect(lines.contains("      2: [INT32]    |      100 | list = [0, 1, 2, 3, 4, 5, ...]"))
    #expect(lines[2].contains("'bad\\u{1b}[2Jxx") && lines[2].hasSuffix("xx'..."))
    #expect(!TensorListing.lines(file, showTensors: false).contains { $0.hasSuffix("| w") })
    let json = try JSONReader.read(JSONWriter.text(TensorListing.json(file), pretty: true))
    #expect(json["tensors"]?["w"]?["shape"] == [2, 3] && json["format"] == "GGUF version 3")
    #expect(json["metadata"]?["list"]?["count"] == 100)
    #expect(json["metadata"]?["list"]?["first"] == [0, 1, 2, 3, 4, 5])
    #expect(TensorListing.json(file, showTensors: false)["tensors"] == nil)
  }
}
