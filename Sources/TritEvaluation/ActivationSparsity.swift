import TritCore
public import TritModel

/// How many of the int8 values that enter a linear layer are zero: what a kernel that skips zeros
/// could skip at most, exactly.
///
/// Behind ReLU² (BitNet b1.58 2B4T, §2) a neuron whose gate is not positive is exactly zero, and
/// rounding to int8 by the row's greatest magnitude makes zeros of small values too. Kernels read
/// weights by lines of many columns, so runs of columns that are zero together are counted beside
/// single ones.
public struct ActivationSparsity: Sendable, Hashable {
  /// One layer's input, or several taken together.
  public struct Input: Sendable, Hashable {
    /// The layer that reads it: `blk.3.ffn_down`, or `ffn_down` for all blocks.
    public let name: String
    /// Values that were seen.
    public fileprivate(set) var count = 0
    /// Zeros before rounding.
    public fileprivate(set) var exactZeros = 0
    /// Zeros among the int8 values.
    public fileprivate(set) var zeros = 0
    /// For each of `ActivationSparsity.runs` the columns in aligned runs of that length that are
    /// zero throughout.
    public fileprivate(set) var zeroRuns: [Int]

    fileprivate init(_ name: String) {
      self.name = name
      zeroRuns = ActivationSparsity.runs.map { _ in 0 }
    }

    /// Share of zeros before rounding.
    public var exactShare: Double { Double(exactZeros) / Double(max(count, 1)) }
    /// Share of zeros after rounding.
    public var share: Double { Double(zeros) / Double(max(count, 1)) }
    /// Share of the columns in runs of zeros, for each of `ActivationSparsity.runs`.
    public var runShares: [Double] { zeroRuns.map { Double($0) / Double(max(count, 1)) } }

    fileprivate mutating func add(_ other: Input) {
      count += other.count
      exactZeros += other.exactZeros
      zeros += other.zeros
      for index in zeroRuns.indices { zeroRuns[index] += other.zeroRuns[index] }
    }
  }

  /// Lengths of the runs of columns that are counted: a dword of int8, a step of the 2-bit panel,
  /// longer.
  public static let runs = [4, 16, 64]

  /// Every measured input, in the order of the blocks.
  public let inputs: [Input]
  /// The same inputs of all blocks together, by role.
  public let totals: [Input]

  /// Runs `tokens` on `engine` in pieces of its context, from an empty cache each, and counts. The
  /// probe of the engine is taken away afterwards. Throws what `prefill` throws, and a usage error
  /// for no tokens.
  public init(_ engine: Engine, tokens: [Int]) throws {
    let counter = Counter()
    engine.probe = { name, values in counter.see(name, values) }
    defer {
      engine.probe = nil
      engine.reset()
    }
    var start = 0
    repeat {
      engine.reset()
      let end = min(start + engine.contextLength, tokens.count)
      try engine.prefill(Array(tokens[start..<end]))
      start = end
    } while start < tokens.count
    inputs = counter.finish()
    var totals: [Input] = []
    for input in inputs {
      let role = String(input.name.split(separator: ".").last ?? "")
      if let index = totals.firstIndex(where: { $0.name == role }) {
        totals[index].add(input)
      } else {
        var total = Input(role)
        total.add(input)
        totals.append(total)
      }
    }
    self.totals = totals
  }

  private final class Counter {
    private var found: [String: Input] = [:]
    private var order: [String] = []
    private var codes: [Int8] = []

    /// Which layer reads the intermediate `name`, and whether a norm that may follow comes later.
    private static let readers = [
      "attn_norm": "attn_q", "attn.out": "attn_output", "attn.sub_norm": "attn_output",
      "ffn_norm": "ffn_up", "ffn.act": "ffn_down", "ffn.sub_norm": "ffn_down",
    ]
    /// Inputs that came without a norm of their own, until one comes.
    private var seen: [String: Input] = [:]

    func see(_ name: String, _ values: MatrixView<Float>) {
      let parts = name.split(separator: ".", maxSplits: 2).map(String.init)
      guard parts.count == 3, parts[0] == "blk", let reader = Self.readers[parts[2]] else { return }
      let layer = "blk.\(parts[1]).\(reader)"
      // A norm's output takes the place of its input, which no layer reads then.
      if let before = seen[layer], !parts[2].hasSuffix("sub_norm") { keep(before) }
      seen[layer] = count(layer, values)
    }

    func finish() -> [Input] {
      for layer in seen.keys.sorted() { seen[layer].map(keep) }
      seen.removeAll()
      return order.sorted { Self.place($0) < Self.place($1) }.compactMap { found[$0] }
    }

    private static func place(_ name: String) -> (Int, Int) {
      let parts = name.split(separator: ".").map(String.init)
      let roles = ["attn_q", "attn_output", "ffn_up", "ffn_down"]
      return (Int(parts[1]) ?? 0, roles.firstIndex(of: parts[2]) ?? 0)
    }

    private func keep(_ input: Input) {
      if found[input.name] == nil {
        order.append(input.name)
        found[input.name] = Input(input.name)
      }
      found[input.name]?.add(input)
    }

    private func count(_ name: String, _ values: MatrixView<Float>) -> Input {
      var input = Input(name)
      codes = [Int8](repeating: 0, count: values.columns)
      for row in 0..<values.rows {
        let x = values.base + row * values.stride
        codes.withUnsafeMutableBufferPointer { codes in
          guard let base = codes.baseAddress else { return }
          _ = VectorMath.quantizeAbsmax(x, into: base, count: values.columns)
        }
        input.count += values.columns
        for column in 0..<values.columns {
          if x[column] == 0 { input.exactZeros += 1 }
          if codes[column] == 0 { input.zeros += 1 }
        }
        for (index, run) in ActivationSparsity.runs.enumerated() {
          for start in stride(from: 0, through: values.columns - run, by: run)
          where codes[start..<start + run].allSatisfy({ $0 == 0 }) {
            input.zeroRuns[index] += run
          }
        }
      }
      return input
    }
  }
}
