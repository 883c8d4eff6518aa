import Testing
import TritLab

@Suite("Kernel choice") struct KernelChoiceTests {
  static func trits(_ rows: Int, _ columns: Int, _ granularity: ScaleGranularity = .tensor)
    -> QuantizedWeights
  {
    var random = SeededRandom(seed: 3)
    let trits = AlignedBuffer<Int8>(count: rows * columns)
    for index in 0..<trits.count { trits[index] = Int8(random.below(3) - 1) }
    let scales = [Float](
      repeating: 0.5, count: granularity.scaleCount(rows: rows, columns: columns))
    return .ternary(
      TernaryMatrix(
        rows: rows, columns: columns, trits: trits, scales: scales, granularity: granularity))
  }

  static func make(_ name: String) throws -> any LinearKernel {
    try Registry<any LinearKernel>.standard.make(StageChoice(parsing: name))
  }

  @Test("auto takes float32 weights to OpenBLAS, and trits with float32 activations to their own")
  func autoFloat() throws {
    let kernel = try Self.make("auto")
    let hasOwn = TernaryFloatKernel.InstructionSet.allCases.contains {
      $0.features.missingHere.isEmpty
    }
    let trits = try kernel.prepare(Self.trits(8, 16), for: .float32)
    #expect(hasOwn ? trits.kernel.hasPrefix("trits_f32/") : trits.kernel == "dequantize")
    let dense = QuantizedWeights.dense(Matrix(rows: 4, columns: 8))
    #expect(try kernel.prepare(dense, for: .float32).kernel == "openblas")
    let mixed = try kernel.prepare(dense, for: .int8)
    #expect(mixed.kernel == "dequantize")
    #expect(mixed.accepts == .int8)
  }

  @Test("dequantize of int8 rows multiplies what they stand for")
  func dequantizeInt8() throws {
    let weights = Matrix<Float>(rows: 2, columns: 3, [1, 2, 3, -4, 0.5, 0] as [Float])
    let prepared = try Self.make("dequantize").prepare(.dense(weights), for: .int8)
    let x = QuantizedRows(capacity: 2, columns: 3)
    x.begin(rows: 2, form: .int8)
    for (row, values) in [[1, 2, 3], [-4, 5, 6]].enumerated() {
      for (column, value) in values.enumerated() { x.row(row)[column] = Int8(value) }
      x.scales[row] = 0.5
    }
    let y = Matrix<Float>(rows: 2, columns: 2)
    prepared.multiply(x, into: y.mutableView)
    #expect(Array(y.storage.buffer) == [7, -1.5, 12, 9.25])
  }

  @Test("TL2 counts the bytes that it reads, not the allocation of the file")
  func bytesOfTL2() throws {
    // 192 columns in triples of 5 bits, 64 in pairs of 4, and a scale a row.
    let linear = try Self.make("tl2/scalar").prepare(Self.trits(64, 256))
    let bitsOfRow: Int = 192 / 3 * 5 + 64 / 2 * 4
    let bytes: Int = 64 * (bitsOfRow / 8 + 4)
    #expect(linear.weightBytes == bytes)
    #expect(TL2Packing().byteCount(rows: 64, columns: 256) > linear.weightBytes)
  }

  @Test(
    "dense forms read as many bits a weight as they say",
    arguments: [("base3/avx512vbmi", 1.6), ("base3/avx2", 1.6), ("tl2/avx512", 5.0 / 3)])
  func bitsOfPanels(name: String, bits: Double) throws {
    guard Registry<any LinearKernel>.standard.available().contains(where: { $0.name == name })
    else { return }
    // 240 columns: whole blocks of base 3 (80) and whole runs of TL2 (48).
    let linear = try Self.make(name).prepare(Self.trits(64, 240))
    #expect(Double(linear.weightBytes) == 64 * 240 * bits / 8 + 64 * 4)
  }

  @Test(
    "many tokens, several stretches of columns, an odd number of panels: sums stay exact",
    arguments: ["i2_s", "base3", "int8", "sparse_columns", "sparse_rows"],
    [WeightShape(145, 3540), WeightShape(33, 7050), WeightShape(320, 512)])
  func manyTokens(packing: String, shape: WeightShape) throws {
    for (name, kernel) in Registry<any LinearKernel>.standard.available()
    where name.hasPrefix(packing + "/") && name != packing + "/scalar" {
      let trial = try KernelTrial(kernel, shape: shape, threads: 2)
      #expect(try trial.residual(tokens: 101).sumsAreExact != false, "\(name)")
      #expect(try trial.residual(tokens: 101).relative < 1e-6, "\(name)")
    }
  }

  @Test(
    "zeros that are skipped change no sum, few or many, whichever way the kernel takes",
    arguments: [0.3, 0.6, 0.9],
    ["sparse_columns/avx512vnni", "sparse_rows/avx512vnni", "sparse_columns/scalar"])
  func zerosSkipped(zeros: Double, name: String) throws {
    guard
      let kernel = Registry<any LinearKernel>.standard.available().first(where: { $0.name == name })
    else { return }
    let trial = try KernelTrial(
      kernel.product, shape: WeightShape(290, 3540), threads: 2, zeros: zeros)
    for tokens in [1, 5, 8, 9, 40] {
      #expect(try trial.residual(tokens: tokens).sumsAreExact == true, "\(tokens) tokens")
      if name.hasPrefix("sparse_columns") {
        #expect(try trial.residual(tokens: tokens).relative < 1e-6, "\(tokens) tokens")
      }
    }
  }

  @Test("auto tries kernels that skip zeros where some are expected, and nowhere else")
  func autoExpectsZeros() throws {
    let memory = AutoMemory()
    let registry = Registry<any LinearKernel>.standard
    let dense = registry.available().filter { $0.name == "i2_s/scalar" }.map(\.product)
    let sparse = registry.available().filter { $0.name == "sparse_columns/scalar" }.map(\.product)
    let auto = AutoKernel(candidates: dense, sparse: [.inputs: sparse], memory: memory)
    let weights = Self.trits(256, 512)
    for sparsity in [ExpectedSparsity.none, .inputs, .outputs] {
      var conditions = AutoKernel.Conditions()
      conditions.sparsity = sparsity
      _ = try auto.prepare(weights, for: .int8, under: conditions)
    }
    // The first candidate is never left out, however slow the moment.
    let tried = memory.decisions.map { $0.timings.map(\.kernel) }
    #expect(tried.map { $0.contains("sparse_columns/scalar") } == [false, true, false])
    #expect(memory.decisions[1].description.contains("two thirds of the inputs zero"))
    // Known now, each under its own conditions.
    var inputs = AutoKernel.Conditions()
    inputs.sparsity = .inputs
    _ = try auto.prepare(weights, for: .int8, under: inputs)
    #expect(memory.decisions.count == 3)
  }

  @Test("an illegal pair explains itself")
  func illegalPair() throws {
    let kernel = try Self.make("i2_s")
    let error = #expect(throws: LabError.self) {
      try kernel.prepare(Self.trits(32, 128), for: .float32)
    }
    #expect(error?.kind == .usage)
    #expect(error?.what.contains("'i2_s' multiplies int8") == true)
    #expect(error?.advice?.contains("dequantize") == true)
    let blas = try Self.make("openblas")
    #expect(throws: LabError.self) { try blas.prepare(Self.trits(32, 128), for: .int8) }
    #expect(throws: LabError.self) { try kernel.prepare(.dense(Matrix(rows: 1, columns: 8))) }
  }

  @Test(
    "bare names resolve to a kernel of their packing",
    arguments: [
      "i2_s", "tl1", "tl2", "tl1_0", "tl2_0", "tq1_0", "tq2_0", "base3", "int8", "sparse_rows",
      "sparse_columns",
    ])
  func bareNames(name: String) throws {
    let registry = Registry<any LinearKernel>.standard
    guard registry.names.contains(name) else { return }
    let prepared = try registry.make(StageChoice(name)).prepare(Self.trits(64, 256))
    #expect(prepared.kernel.hasPrefix(name + "/"))
  }

  @Test("OpenBLAS runs one thread a call, on a core that knows the CPU")
  func openBLAS() throws {
    try OpenBLASRuntime.start()
    #expect(OpenBLASRuntime.threads == 1)
    #expect(OpenBLASRuntime.description.contains(OpenBLASRuntime.core))
    #expect(OpenBLASRuntime.version.first?.isNumber == true)
  }
}
