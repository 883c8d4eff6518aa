internal import Foundation
internal import TritCore
internal import TritEvaluation
internal import TritModel

/// Error, sparsity, entropy, bits a weight and bytes of the linear layers.
public struct WeightsMeasure: Measure {
  /// The key of the section.
  public static let key = "weights"
  /// What is measured.
  public static let summary = "Error, sparsity, entropy, bits a weight, bytes."
  /// Its columns in the table of results.
  public static let columns = [
    ReportColumn(
      "Bits of code", key: "weights.code_bits_per_weight", group: .coding,
      meaning:
        "Bits a weight that the quantizer's codes and scales hold, whatever kernel runs them: "
        + "log2 3 = 1.58 for a trit."
    ) { value, _ in Figures.fixed(value, 2) },
    ReportColumn(
      "SQNR, dB", key: "weights.sqnr_db", group: .rounding,
      meaning:
        "Energy of the weights over the energy of their rounding error; 10 dB more is a tenth "
        + "of the error. 'exact': nothing was rounded, since the checkpoint holds these values."
    ) { value, _ in value.isFinite ? Figures.fixed(value, 1) : "exact" },
    ReportColumn(
      "Zeros", key: "weights.zero_share", group: .rounding,
      meaning: "Share of weights that are zero."
    ) { value, _ in Figures.percent(value) },
  ]

  /// Reads settings that have been checked.
  public init(_ settings: MeasureSettings) {}

  /// Measures one variant.
  public func run(_ run: MeasureRun) throws -> Measured {
    let engine = run.engine
    let resolver = try LayerResolver(
      checkpoint: run.checkpoint, selection: engine.selection, lab: run.lab)
    let bytes = Dictionary(
      engine.layers.map { ($0.name, $0.statedBytes) }, uniquingKeysWith: { first, _ in first })
    var layers: [WeightStatistics] = []
    var codeBits = 0.0
    let count = engine.configuration.layers
    for layer in 0..<count {
      for role in LinearRole.allCases {
        try Interruption.check()
        let resolved = try resolver.resolve(role, layer: layer)
        let original = resolved.source.weights.dequantized()
        // A view does not keep its matrix alive.
        let statistics = try withExtendedLifetime(original) {
          try WeightStatistics(
            name: resolved.name, original: original.view, quantized: resolved.weights,
            packedBytes: bytes[resolved.name] ?? 0)
        }
        layers.append(statistics)
        codeBits += Self.codeBits(resolved.weights, levels: statistics.levels.count)
      }
      run.progress(Double(layer + 1) / Double(max(count, 1)))
    }
    let total = WeightStatistics(name: "all", total: layers)
    var metrics: [String: Double] = [
      "mse": total.meanSquaredError, "sqnr_db": total.signalToNoise, "cosine": total.cosine,
      "zero_share": total.zeroShare, "bits_per_weight": total.bitsPerWeight,
      "bytes": Double(total.bytes), "count": Double(total.count),
      "code_bits_per_weight": codeBits / Double(max(total.count, 1)),
    ]
    if let entropy = total.entropy { metrics["entropy_bits"] = entropy }
    let series = Series(
      labels: layers.map(\.name),
      columns: [
        "sqnr_db": layers.map(\.signalToNoise), "zero_share": layers.map(\.zeroShare),
        "mse": layers.map(\.meanSquaredError), "bits_per_weight": layers.map(\.bitsPerWeight),
        "entropy_bits": layers.map { $0.entropy ?? .nan },
      ])
    return Measured(metrics: metrics, series: ["layers": series])
  }

  /// Bits that the codes and float32 scales of a layer hold, whatever kernel runs them: log₂ 3 for
  /// a trit, 1 where no weight is zero, `bits` for an integer, 32 for a float.
  private static func codeBits(_ weights: QuantizedWeights, levels: Int) -> Double {
    let count = Double(weights.rows * weights.columns)
    switch weights {
    case .dense: return 32 * count
    case .ternary(let matrix):
      return log2(Double(max(levels, 2))) * count + 32 * Double(matrix.scales.count)
    case .integer(let matrix):
      return Double(matrix.bits) * count + 32 * Double(matrix.scales.count)
    }
  }
}

extension LayerReport {
  /// Bytes as figures tell them: in the packing that the variant names, or, where it leaves the
  /// kernel to `auto`, in the plainest one. What `auto` picks is a matter of speed, and sizes must
  /// not change with it from run to run.
  var statedBytes: Int { isPicked ? plainBytes : bytes }
}
