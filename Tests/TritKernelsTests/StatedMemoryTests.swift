import Testing
import TritLab

/// Layers and heads state the memory that they own: races throw it out of the caches, images keep
/// it.
@Suite struct StatedMemoryTests {
  /// Every run of bytes among the stored properties of `value`, whoever states it.
  private static func found(in value: Any, depth: Int = 5) -> [any RawMemory] {
    if let memory = value as? any RawMemory { return [memory] }
    let mirror = Mirror(reflecting: value)
    // Long lists are of numbers, not of buffers.
    guard depth > 0, mirror.displayStyle != .collection || mirror.children.count <= 64 else {
      return []
    }
    return mirror.children.flatMap { found(in: $0.value, depth: depth - 1) }
  }

  /// What is stated is owned, and what is owned and depends on the weights is stated: all but
  /// tables of a few KB.
  private static func problems(stated: [any RawMemory], owner: Any) -> [String] {
    var owned: [any RawMemory] = []
    for run in found(in: owner) where !owned.contains(where: { $0 === run }) { owned.append(run) }
    var problems: [String] = []
    for (index, run) in stated.enumerated() {
      if stated[..<index].contains(where: { $0 === run }) { problems.append("stated twice") }
      if !owned.contains(where: { $0 === run }) { problems.append("not owned") }
    }
    for run in owned where run.rawBuffer.count > 4096 {
      if !stated.contains(where: { $0 === run }) {
        problems.append("\(run.rawBuffer.count) bytes are not stated")
      }
    }
    return problems
  }

  private static func weights(_ rows: Int, _ columns: Int) -> [QuantizedWeights] {
    var random = SeededRandom(seed: 4)
    let values = AlignedBuffer<Int8>(count: rows * columns)
    for index in 0..<values.count { values[index] = Int8(random.below(3) - 1) }
    let ternary = TernaryMatrix(
      rows: rows, columns: columns, trits: values, scales: [0.5], granularity: .tensor)
    let groups = ScaleGranularity.group(32)
    let count = groups.scaleCount(rows: rows, columns: columns)
    return [
      .ternary(ternary), .dense(QuantizedWeights.ternary(ternary).dequantized()),
      .integer(
        IntegerMatrix(
          rows: rows, columns: columns, bits: 4, values: values,
          scales: [Float](repeating: 0.5, count: count), granularity: groups)),
    ]
  }

  static let kernels = Registry<any LinearKernel>.standard.available().map(\.name)

  @Test(arguments: kernels) func layersStateTheirMemory(name: String) throws {
    let kernel = try Registry<any LinearKernel>.standard.make(StageChoice(name))
    var prepared = 0
    for weights in Self.weights(128, 768) {
      for form in kernel.forms {
        guard let layer = try? kernel.prepare(weights, for: form) else { continue }
        prepared += 1
        #expect(!layer.memory.isEmpty)
        #expect(Self.problems(stated: layer.memory, owner: layer).isEmpty)
        // Scales may be a list of numbers.
        let bytes = layer.memory.reduce(0) { $0 + $1.rawBuffer.count }
        #expect(bytes + 4 * 128 * 24 >= layer.weightBytes, "\(bytes) of \(layer.weightBytes)")
      }
    }
    #expect(prepared > 0)
  }

  @Test(arguments: Registry<any OutputHead>.standard.available().map(\.name) + ["screened:bits=8"])
  func headsStateTheirMemory(name: String) throws {
    let weights = Self.weights(320, 96)[0].dequantized()
    let head = try Registry<any OutputHead>.standard.make(StageChoice(parsing: name))
      .prepare(weights.view)
    #expect(Self.problems(stated: head.memory, owner: head).isEmpty)
    let bytes = head.memory.reduce(0) { $0 + $1.rawBuffer.count }
    #expect(bytes >= head.weightBytes)
  }

  /// A kernel of somebody else's that states nothing is measured from memory too.
  @Test func whatIsNotStatedIsPushedOut() throws {
    struct Silent: PreparedLinear {
      let inner: any PreparedLinear
      var kernel: String { "silent" }
      var rows: Int { inner.rows }
      var columns: Int { inner.columns }
      var weightBytes: Int { inner.weightBytes }
      var accepts: ActivationForm { inner.accepts }
      var rowAlignment: Int { inner.rowAlignment }
      var inputLayout: (any InputLayout)? { inner.inputLayout }
      func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
        inner.multiply(x, rows: range, into: y)
      }
      func accumulate(
        _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
      ) -> Bool { inner.accumulate(x, rows: range, into: accumulators) }
    }
    let layer = try ReferenceKernel().prepare(Self.weights(128, 768)[0])
    let stated = WeightEviction.memory(of: layer)
    #expect(stated.count == 1 && stated[0] === layer.memory[0])
    let silent = Silent(inner: layer)
    #expect(silent.memory.isEmpty)
    let others = WeightEviction.memory(of: silent)
    let bytes = others.reduce(0) { $0 + $1.rawBuffer.count }
    #expect(bytes >= min(2 * CacheSizes.here.last, 256 << 20))
    #expect(WeightEviction.evict(others))
  }
}
