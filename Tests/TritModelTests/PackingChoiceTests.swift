import Foundation
import Testing
import TritLab
import _TritTestSupport

/// A packing that a variant names, and packed bytes of a file that a kernel takes as they are.
@Suite struct PackingChoiceTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("packing") }

  private func storyteller() throws -> Checkpoint {
    try Checkpoint(path: try ModelLocation.resolve("builtin:storyteller"))
  }

  private func engine(_ checkpoint: Checkpoint, _ kernel: String, packing: String? = nil) throws
    -> Engine
  {
    var selection = StageSelection(
      kernel: StageChoice(kernel), attention: StageChoice("streaming"), head: StageChoice("exact"))
    selection.packing = packing.map { StageChoice($0) }
    return try Engine(
      checkpoint: checkpoint, selection: selection,
      options: EngineOptions(threads: 1, maxContext: 16))
  }

  private func logits(_ engine: Engine) throws -> [UInt32] {
    var values: [UInt32] = []
    let tokens = [1, 17, 5, 33, 2, 60].map { $0 % engine.vocabularySize }
    try engine.forEachLogits(of: tokens, from: 0) { values += $1.map(\.bitPattern) }
    return values
  }

  /// The packings of the lab, none of which can unpack: what is made with them was adopted.
  private struct OneWay: Packing {
    let inner: any Packing
    var name: String { inner.name }
    func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
      try inner.check(rows: rows, columns: columns, granularity: granularity)
    }
    func byteCount(rows: Int, columns: Int) -> Int { inner.byteCount(rows: rows, columns: columns) }
    func pack(_ weights: QuantizedWeights) throws -> PackedMatrix { try inner.pack(weights) }
    func unpack(_ packed: PackedMatrix) throws -> QuantizedWeights {
      throw LabError(.failure, "nobody unpacks here")
    }
    func read(_ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, scales: [Float]?) throws
      -> PackedMatrix
    { try inner.read(bytes, rows: rows, columns: columns, scales: scales) }
    func isZero(_ packed: PackedMatrix) -> Bool { inner.isZero(packed) }
  }

  private static let oneWay: Registry<any Packing> = {
    var registry = Registry<any Packing>(.packing)
    for (name, packing) in Registry<any Packing>.standard.available() {
      registry.register(StageDescriptor(name, summary: "one way", source: "a test")) { _ in
        OneWay(inner: packing)
      }
    }
    return registry
  }()

  /// The trits of a file go to a kernel of the same layout as they lie there, and give the bits
  /// that the same kernel gives for trits that it has packed itself.
  @Test(arguments: [TensorType.i2_s, .tl1, .tl2, .tq1_0, .tq2_0])
  func bytesOfAFileAreAdopted(type: TensorType) throws {
    let path = folder.file("model.gguf")
    let name = type.name.lowercased()
    _ = try GGUFExport(try storyteller(), linear: type).write(to: path)
    let kernels = Registry<any LinearKernel>.standard.available()
      .filter { ($0.product as? any AdoptingKernel)?.adopts == name }.map(\.name)
    #expect(kernels.contains("\(name)/scalar"))
    let oneWay = try Checkpoint(path: path, packings: Self.oneWay)
    for kernel in kernels {
      let adopted = try engine(oneWay, kernel)
      // The checkpoint of float masters has the same trits, packed by the kernel.
      let packed = try engine(try storyteller(), kernel)
      #expect(try logits(adopted) == logits(packed), "\(kernel)")
      #expect(adopted.layers.map(\.kernel) == packed.layers.map(\.kernel))
      #expect(adopted.layers.map(\.form) == packed.layers.map(\.form))
      #expect(adopted.layers.map(\.bytes) == packed.layers.map(\.bytes))
      #expect(adopted.layers.map(\.plainBytes) == packed.layers.map(\.plainBytes))
      #expect(
        adopted.layers.allSatisfy { !$0.isZero && $0.provenance == "trits of the checkpoint" })
      // Naming the file's own packing changes nothing.
      #expect(try logits(engine(oneWay, kernel, packing: name)) == logits(packed), "\(kernel)")
    }
    // Kernels with panels of their own need trits.
    #expect(throws: LabError.self) { try engine(oneWay, "reference") }
    // And so does another quantizer, or another packing.
    #expect(throws: LabError.self) { try engine(oneWay, "\(name)/scalar", packing: "base3") }
  }

  /// A file that is damaged is refused on this way too, with the tensor's name.
  @Test func damagedBytesAreNotAdopted() throws {
    let path = folder.file("model.gguf")
    _ = try GGUFExport(try storyteller(), linear: .i2_s).write(to: path)
    let file = try GGUFFile(path: path)
    let name = "blk.2.ffn_down.weight"
    // The bytes live as long as the file does.
    let start = try withExtendedLifetime(file) { Data(try file.bytes(name).prefix(256)) }
    let offset = try #require(
      try Data(contentsOf: URL(fileURLWithPath: path)).firstRange(of: start)?.lowerBound)
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try handle.seek(toOffset: UInt64(offset + 7))
    try handle.write(contentsOf: [0xFF])
    try handle.close()
    let error = try #require(throws: LabError.self) {
      try engine(try Checkpoint(path: path), "i2_s/scalar")
    }
    #expect(error.kind == .badData && error.place?.contains(name) == true, "\(error)")
    #expect(error.what.contains("code 3"), "\(error)")
  }

  @Test func zerosAreSeenInPackedBytes() throws {
    let trits = AlignedBuffer<Int8>(count: 32 * 768)
    let zero = QuantizedWeights.ternary(
      TernaryMatrix(rows: 32, columns: 768, trits: trits, scales: [0.7]))
    for (name, packing) in Registry<any Packing>.standard.available() {
      #expect(try packing.isZero(packing.pack(zero)), "\(name)")
    }
    // The last trit alone.
    trits[32 * 768 - 1] = -1
    for (name, packing) in Registry<any Packing>.standard.available() {
      #expect(try !packing.isZero(packing.pack(zero)), "\(name)")
    }
  }

  /// The weights of a variant go through the packing that it names: kernels see what a file of it
  /// would hold.
  @Test func aChosenPackingIsWhatKernelsSee() throws {
    let checkpoint = try storyteller()
    func resolved(_ packing: String?, _ change: (inout StageSelection) -> Void = { _ in }) throws
      -> ResolvedLinear
    {
      var selection = StageSelection()
      selection.packing = packing.map { StageChoice($0) }
      change(&selection)
      return try LayerResolver(checkpoint: checkpoint, selection: selection).resolve(
        .down, layer: 1)
    }
    let plain = try resolved(nil)
    guard case .ternary(let source) = plain.weights else {
      Issue.record("not ternary")
      return
    }
    #expect(plain.packed == nil && source.scales.count == 1)
    for name in ["i2_s", "tl1", "tl2", "base3"] {
      let layer = try resolved(name)
      guard case .ternary(let matrix) = layer.weights else {
        Issue.record("\(name): not ternary")
        continue
      }
      #expect(matrix.trits.buffer.elementsEqual(source.trits.buffer), "\(name)")
      #expect(matrix.scales == source.scales && matrix.granularity == .tensor, "\(name)")
      #expect(layer.packed?.packing == name && layer.provenance.hasSuffix(", packed by \(name)"))
    }
    // The scale as float16 has it: IEEE 754, 11 significant bits.
    for name in ["tq1_0", "tq2_0"] {
      guard case .ternary(let matrix) = try resolved(name).weights else { continue }
      #expect(matrix.scales == [Float(Float16(source.scales[0]))], "\(name)")
      #expect(matrix.scales != source.scales)
      #expect(matrix.trits.buffer.elementsEqual(source.trits.buffer), "\(name)")
    }
    #expect(try resolved("int8").weights.form == "8-bit integers (scale per tensor)")
    #expect(try resolved("int4").weights.form == "4-bit integers (scale per tensor)")
    // A scale a row is a scale a row after blocks of 256, too.
    let rows = try resolved("tq2_0") {
      $0.quantizer = try? StageChoice(parsing: "absmean:granularity=row")
    }
    #expect(rows.weights.granularity == .row, "\(rows.weights.form)")
    // What cannot be packed is told by the packing, with the layer.
    let error = try #require(throws: LabError.self) {
      try resolved("i2_s") { $0.quantizer = StageChoice("int4") }
    }
    #expect(error.what.hasPrefix("packing 'i2_s' takes ternary weights"), "\(error)")
    #expect(error.place?.hasPrefix("blk.1.ffn_down") == true, "\(error)")
    // One layer for itself.
    let own = try resolved("i2_s") {
      $0.layers = [
        LayerOverride(pattern: "blk.1.*", choices: [.packing: StageChoice("base3")])
      ]
    }
    #expect(own.packed?.packing == "base3")
    let none = try resolved("i2_s") {
      $0.layers = [LayerOverride(pattern: "blk.1.*", choices: [.packing: StageChoice("model")])]
    }
    #expect(none.packed == nil)
  }

  /// The bytes of the chosen packing are what an adopting kernel runs on.
  @Test func aChosenPackingIsAdopted() throws {
    let checkpoint = try storyteller()
    for name in ["i2_s", "tl1", "tl2", "base3"] {
      let plain = try engine(checkpoint, "\(name)/scalar")
      let packed = try engine(checkpoint, "\(name)/scalar", packing: name)
      #expect(try logits(packed) == logits(plain), "\(name)")
      #expect(packed.layers.map(\.bytes) == plain.layers.map(\.bytes))
    }
    let integers = try engine(checkpoint, "auto", packing: "int8")
    #expect(integers.layers.allSatisfy { $0.form == "8-bit integers (scale per tensor)" })
  }

  /// An image of prepared weights is one of its packing.
  @Test func imagesKnowThePacking() throws {
    let path = try TinyCheckpoint.write(.bitnetPacked, in: folder)
    func paths(_ packing: String?) throws -> [String] {
      var options = EngineOptions()
      options.images = WeightImages(
        folder: folder.file("cache/images"), limit: 1 << 30, smallest: 0, writes: true)
      var selection = StageSelection(kernel: StageChoice("int8"), head: StageChoice("int8"))
      selection.packing = packing.map { StageChoice($0) }
      return try Engine(
        checkpoint: Checkpoint(path: path), selection: selection, options: options
      ).imagePaths.filter { $0.contains("/layers-") }
    }
    #expect(try paths(nil).isEmpty)
    #expect(try paths(nil).count == 1)
    #expect(try paths("int8").isEmpty)
    #expect(try paths("int8").count == 1)
  }
}
