import Testing
import TritLab
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One number of a tensor type means different layouts in different programs; the bytes that its
/// tensors take tell which. Sizes: `ggml-common.h` of llama.cpp and its forks, `ggml_nbytes` of
/// microsoft/BitNet.
@Suite struct TensorTypeMeaningTests {
  /// A file with one tensor [64, 256] of number `id` that takes `bytes`.
  private func file(_ id: UInt32, bytes: Int, architecture: String = "qwen3") -> [UInt8] {
    GGUFHostileTests.file(
      keys: [GGUFHostileTests.key("general.architecture", 8) { $0.add(string: architecture) }],
      tensors: [GGUFHostileTests.tensor("w", [256, 64], type: id)], data: bytes)
  }

  private func open(_ bytes: [UInt8]) throws -> TensorType? {
    let folder = try TemporaryFolder("types")
    return try GGUFFile(path: try folder.write(bytes, to: "m.gguf")).info("w")?.type
  }

  private func error(_ bytes: [UInt8]) -> LabError? {
    do {
      _ = try open(bytes)
      return nil
    } catch { return error as? LabError }
  }

  /// Layouts that are read: the type that a number means by the size of its tensors.
  @Test(arguments: [
    (UInt32(41), 128, 18, TensorType.q1_0), (42, 64, 18, .q2_0), (142, 128, 34, .pq2_0),
    (143, 128, 28, .ptq1_0),
  ]) func theSizeTellsTheType(id: UInt32, elements: Int, bytes: Int, type: TensorType) throws {
    #expect(try open(file(id, bytes: 16_384 / elements * bytes)) == type)
  }

  /// Blocks of 34 bytes of number 42: the scale stands first in Prism's files, last in OxiBonsai's.
  @Test(arguments: [true, false]) func scalesTellRivalsOfOneSize(isFirst: Bool) throws {
    var random = SeededRandom(seed: 5)
    var bytes = file(42, bytes: 128 * 34)
    let start = bytes.count - 128 * 34
    for block in 0..<128 {
      let at = start + 34 * block
      let scale = Float16(0.01 + 0.02 * random.uniform()).bitPattern
      for index in 0..<32 {
        var byte: UInt8 = 0
        for shift in 0..<4 { byte |= UInt8(random.below(3)) << UInt8(2 * shift) }
        bytes[at + index + (isFirst ? 2 : 0)] = byte
      }
      bytes[at + (isFirst ? 0 : 32)] = UInt8(scale & 0xff)
      bytes[at + (isFirst ? 1 : 33)] = UInt8(scale >> 8)
    }
    guard !isFirst else {
      #expect(try open(bytes) == .pq2_0)
      return
    }
    let rival = error(bytes)
    #expect(
      rival?.what.contains("type TQ2_0_g128 (number 42), which TritLab does not read") == true,
      "\(rival as Any)")
    // Noise is neither.
    for index in start..<bytes.count { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
    let noise = error(bytes)
    #expect(noise?.what.contains("type number 42") == true, "\(noise as Any)")
    #expect(noise?.advice?.contains("do not tell") == true)
  }

  /// 16,384 weights: blocks of the layout's elements and bytes.
  static let layouts: [(id: UInt32, elements: Int, bytes: Int, name: String)] = [
    (42, 256, 42, "STQ1_0"), (43, 256, 42, "STQ1_0"), (40, 64, 36, "NVFP4"),
    (40, 512, 130, "Q2_0C"), (142, 256, 66, "IQ2_TN"), (143, 256, 54, "IQ1_TN"),
  ]

  @Test(arguments: layouts) func theSizeTellsTheMeaning(
    id: UInt32, elements: Int, bytes: Int, name: String
  ) {
    // Rows of 256 hold no block of 512: that layout cannot be meant.
    let error = error(file(id, bytes: 16_384 / elements * bytes))
    #expect(error?.kind == .badData)
    if elements <= 256 {
      #expect(error?.what.contains("type \(name) (number \(id))") == true, "\(error as Any)")
      #expect(error?.got?.contains("by its size") == true)
    } else {
      #expect(error?.got?.contains("none of") == true, "\(error as Any)")
    }
    #expect(error?.advice?.contains("TQ2_0") == true)
  }

  @Test func tl2IsReadWhereItFits() throws {
    // 256 columns are pairs of 4 bits: 4,096 bytes, and 32 for the scale.
    #expect(try open(file(42, bytes: 4_128, architecture: "bitnet-b1.58")) == .tl2)
    #expect(try open(file(42, bytes: 4_128, architecture: "llama")) == .tl2)
    #expect(try open(file(39, bytes: 4_128, architecture: "bitnet-b1.58")) == .tl2)
  }

  @Test func sizesThatFitNothingSaySo() {
    let none = error(file(42, bytes: 1_000))
    #expect(
      none?.got?.contains("none of") == true && none?.got?.contains("TL2") == true, "\(none as Any)"
    )
    #expect(none?.got?.contains("1000 bytes for [64, 256]") == true)
    // A file of bitnet.cpp's own architecture that is cut short is that, and says so.
    let cut = error(file(42, bytes: 1_000, architecture: "bitnet-b1.58"))
    #expect(cut?.what.contains("outside the file") == true, "\(cut as Any)")
  }

  @Test func otherNumbersAreNamed() throws {
    #expect(error(file(10, bytes: 9_000))?.what.contains("Q2_K") == true)
    #expect(try open(file(12, bytes: 64 * 144)) == .q4_k)
    #expect(try open(file(13, bytes: 64 * 176)) == .q5_k)
    #expect(error(file(135, bytes: 9_000))?.what.contains("IQ2_BN of ik_llama.cpp") == true)
    let unknown = error(file(4_000_000, bytes: 9_000))
    #expect(unknown?.what.contains("number 4000000") == true && unknown?.advice != nil)
  }

  /// Files that other programs wrote.
  @Test(
    .enabled(if: SharedData.isPresent),
    arguments: [
      ("qwen3-q2_0-g64.gguf", UInt32(42), TensorType.q2_0),
      ("qwen3-q2_0-g128-id42.gguf", 42, .pq2_0), ("qwen3-pq2_0.gguf", 142, .pq2_0),
      ("qwen3-ptq1_0.gguf", 143, .ptq1_0), ("qwen3-binary128-q1_0.gguf", 41, .q1_0),
      ("minicpm-pq2_0.gguf", 142, .pq2_0), ("minicpm-q2_0-g64.gguf", 42, .q2_0),
    ]) func containersOfOthers(name: String, id: UInt32, type: TensorType) throws
  {
    let path = try #require(SharedData.path("containers/" + name))
    let file = try GGUFFile(path: path)
    for info in file.tensors where info.shape.count == 2 {
      #expect(info.type == type && file.typeID(info.name) == id, "\(info.name)")
    }
  }

  // MARK: Parts of a model

  @Test func namesOfPartsAreRead() {
    let part = ModelPart(fileName: "/a/b/M-7B-00002-of-00010.gguf")
    #expect(part?.number == 2 && part?.count == 10 && part?.name(10) == "M-7B-00010-of-00010.gguf")
    #expect(
      ModelPart(fileName: "model-1-of-2.safetensors")?.missing(among: ["model-2-of-2.safetensors"])
        == ["model-1-of-2.safetensors"])
    for name in [
      "m.gguf", "m-00003-of-00002.gguf", "m-00000-of-00002.gguf", "m-1-of-99999999.gguf",
    ] {
      #expect(ModelPart(fileName: name) == nil, "\(name)")
    }
  }

  @Test func metadataIsBounded() throws {
    // A list of 290 MiB in a file of 300 MiB on paper: refused by its count, before it is made.
    let folder = try TemporaryFolder("metadata")
    var bytes = GGUFHostileTests.file(keys: [GGUFHostileTests.list(0, 290 << 20)])
    bytes.removeLast(64)
    let path = try folder.write(bytes, to: "m.gguf")
    try #require(truncate(path, 300 << 20) == 0)
    let error = #expect(throws: LabError.self) { try GGUFFile(path: path) }
    #expect(error?.what == "too large for the metadata of a GGUF file", "\(error as Any)")
  }
}
