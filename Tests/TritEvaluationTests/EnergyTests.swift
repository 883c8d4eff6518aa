import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Counted operations and their energy, against sums done by hand and the papers' own ratio.
@Suite("Energy") struct EnergyTests {
  private func near(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-12 * max(abs(a), abs(b)) }

  @Test("a 2 × 3 matrix by hand")
  func matrix() {
    // Trits and int8: 2 · (3 − 1) int8 additions; 3 inputs quantized and 2 outputs scaled.
    let ternary = TokenOperations.matrix(
      rows: 2, columns: 3, weights: .trits, integerActivations: true)
    #expect(ternary.additions == [.int8: 4] && ternary.multiplications == [.fp16: 5])
    #expect(near(ternary.picojoules(.nm45), 4 * 0.03 + 5 * 1.1))
    #expect(near(ternary.picojoules(.nm7), 4 * 0.007 + 5 * 0.34))
    let float = TokenOperations.matrix(
      rows: 2, columns: 3, weights: .floats, integerActivations: false)
    #expect(near(float.picojoules(.nm45), 4 * 0.4 + 6 * 1.1))
    #expect(near(float.picojoules(.nm7), 4 * 0.16 + 6 * 0.34))
    let integers = TokenOperations.matrix(
      rows: 2, columns: 3, weights: .integers, integerActivations: true, float: .fp32,
      accumulator: .int32)
    #expect(integers.additions == [.int32: 4])
    #expect(integers.multiplications == [.int8: 6, .fp32: 5])
    #expect(near(integers.picojoules(.nm7), 4 * 0.03 + 6 * 0.07 + 5 * 1.31))
    let halves = TokenOperations.matrix(
      rows: 2, columns: 3, weights: .trits, integerActivations: false)
    #expect(halves.additions == [.fp16: 4] && halves.multiplications == [.fp16: 2])
  }

  @Test("FP16 products and sums over INT8 sums at 7 nm are the 71.4 of BitNet b1.58")
  func papersRatio() {
    // arXiv 2402.17764 §3: 71.4 times less arithmetic energy for matrix multiplication.
    let float =
      OperationEnergy.addition(.fp16, .nm7) + OperationEnergy.multiplication(.fp16, .nm7)
    #expect(abs(float / OperationEnergy.addition(.int8, .nm7) - 71.4) < 0.05)
  }

  @Test("a tiny model by hand")
  func model() throws {
    let folder = try TemporaryFolder("energy")
    let checkpoint = try Checkpoint(path: try TinyCheckpoint.write(.bitnetOnline, in: folder))
    let engine = try Engine(checkpoint: checkpoint, options: EngineOptions(threads: 1))
    let operations = TokenOperations(
      engine.plan, layers: engine.layers, context: 10)
    // Hidden 128, feed-forward 256, 4 heads of 32 with 2 key/value heads, 2 blocks.
    let shapes = [(128, 128), (64, 128), (64, 128), (128, 128), (256, 128), (256, 128), (128, 256)]
    let linear = try #require(operations.parts[.linear])
    #expect(linear.additions == [.int8: 2 * Double(shapes.reduce(0) { $0 + $1.0 * ($1.1 - 1) })])
    #expect(
      linear.multiplications == [.fp16: 2 * Double(shapes.reduce(0) { $0 + $1.0 + $1.1 })])
    // 10 scores of 4 heads: 32 products, 31 sums each; then 128 values of 10 products and 9 sums.
    let attention = try #require(operations.parts[.attention])
    #expect(attention.multiplications == [.fp16: 2 * (10 * 4 * 32 + 10 * 128)])
    #expect(attention.additions == [.fp16: 2 * (10 * 4 * 31 + 9 * 128)])
    // Norms of 128, 128, 128 and 256 a block and one of 128; 6 rotated heads; activation; residual.
    let other = try #require(operations.parts[.other])
    let normed = 2.0 * (128 + 128 + 128 + 256) + 128
    #expect(other.multiplications == [.fp16: 3 * normed + 2 * 6 * 16 * 4 + 2 * 2 * 256])
    #expect(other.additions == [.fp16: normed - 9 + 2 * 6 * 16 * 2 + 2 * 2 * 128])
    let vocabulary = Double(engine.vocabularySize)
    #expect(operations.parts[.head]?.multiplications == [.fp16: vocabulary * 128])
    #expect(
      near(
        operations.total.picojoules(.nm7),
        operations.parts.values.reduce(0) { $0 + $1.picojoules(.nm7) }))
  }

  /// Layers with a norm of their own: one norm where the gains are the same, else one a layer.
  @Test(arguments: [(true, 4), (false, 7)])
  func normsInsideLayersAreCountedAsTheyAreComputed(areShared: Bool, norms: Int) throws {
    var tiny = TinyCheckpoint(.bitnetOnline)
    tiny.config = tiny.config.replacingOccurrences(
      of: #""quantization_mode": "online""#,
      with: #""quantization_mode": "online", "use_rms_norm": true"#)
    let linears = tiny.tensors.filter { $0.name.hasSuffix("_proj.weight") }
    #expect(linears.count == 14)
    for (index, linear) in linears.enumerated() {
      let name = linear.name.replacingOccurrences(of: ".weight", with: ".rms_norm.weight")
      let gain = areShared ? 1 : 1 + Float(index) / 16
      tiny.tensors.append(
        TinyCheckpoint.Tensor(
          name, shape: [linear.shape[1]], floats: Array(repeating: gain, count: linear.shape[1])))
    }
    let folder = try TemporaryFolder("norms")
    try tiny.write(to: folder.file("model"))
    let engine = try Engine(
      checkpoint: Checkpoint(path: folder.file("model")), options: EngineOptions(threads: 1))
    #expect(engine.layers.filter(\.computesNorm).count == 2 * norms)
    let operations = TokenOperations(engine.plan, layers: engine.layers, context: 10)
    let other = try #require(operations.parts[.other])
    // Hidden 128, feed-forward 256: q, k, v, o, gate and up read 128 columns, down 256.
    let normed = 2.0 * (128 + 128 + 128 + 256) + 128 + 2 * (Double(norms - 1) * 128 + 256)
    #expect(other.multiplications == [.fp16: 3 * normed + 2 * 6 * 16 * 4 + 2 * 2 * 256])
    let additions = normed - 9 - 2 * Double(norms)
    #expect(other.additions == [.fp16: additions + 2 * 6 * 16 * 2 + 2 * 2 * 128])
  }

  @Test("counters: packages only, one turn around, and why there are none")
  func counters() throws {
    let folder = try TemporaryFolder("powercap")
    func write(_ domain: String, _ name: String, _ energy: Int?) throws {
      let path = folder.path + "/" + domain
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try AtomicFile.write(name + "\n", to: path + "/name")
      try AtomicFile.write("1000\n", to: path + "/max_energy_range_uj")
      if let energy { try AtomicFile.write("\(energy)\n", to: path + "/energy_uj") }
    }
    func problem() -> LabError? {
      #expect(throws: LabError.self) { _ = try EnergyCounter(root: folder.path) }
    }
    #expect(problem()?.what == "this machine shows no energy counters")
    try write("intel-rapl:0", "package-0", nil)
    #expect(problem()?.what == "the energy counter cannot be read")
    #expect(problem()?.kind == .missingInput)
    try write("intel-rapl:0", "package-0", 900)
    try write("intel-rapl:1", "package-1", 100)
    try write("intel-rapl:0:0", "core", 5)
    try write("intel-rapl:2", "psys", 5)
    let counter = try EnergyCounter(root: folder.path)
    let start = counter.read()
    try write("intel-rapl:0", "package-0", 50)
    try write("intel-rapl:1", "package-1", 400)
    // 150 around the turn and 300.
    #expect(near(counter.joules(from: start, to: counter.read()), 450e-6))
  }
}
