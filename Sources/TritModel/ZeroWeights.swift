import TritCore

extension QuantizedWeights {
  /// Whether every weight is zero; found at the first that is not.
  var isZero: Bool {
    switch self {
    case .dense(let matrix):
      return matrix.storage.isZero
    case .ternary(let matrix):
      return matrix.scales.allSatisfy { $0 == 0 } || matrix.trits.isZero
    case .integer(let matrix):
      return matrix.scales.allSatisfy { $0 == 0 } || matrix.values.isZero
    }
  }
}

/// Layers whose weights are all zero: a legal file, and hardly ever a model that somebody trained.
///
/// A preallocated download that was not finished is one, and a converter that lost a tensor. One
/// layer without weights can be meant (pruning), so that it is told; a model without any cannot,
/// and is refused.
enum ZeroWeights {
  /// What to tell of `layers`. Throws `badData` where all of them are zero in the model at `path`,
  /// unless a quantizer other than the model's own made them so.
  static func notes(_ layers: [LayerReport], isRequantized: Bool, path: String) throws -> [String] {
    let zero = layers.filter(\.isZero)
    guard let first = zero.first else { return [] }
    if zero.count == layers.count, !isRequantized {
      throw LabError(
        .badData, "every weight of every linear layer is zero", at: "\(path): \(first.name)",
        expected: "weights", got: "\(layers.count) matrices of zeros",
        advice:
          "the download was not finished, or the converter lost the weights; get the model again")
    }
    let names = zero.prefix(3).map(\.name).joined(separator: ", ")
    return [
      "warning: all weights of \(names)\(zero.count > 3 ? " and \(zero.count - 3) more layers" : "") are zero "
        + "(\(first.provenance)): nothing passes \(zero.count == 1 ? "that layer" : "those layers"); unless the model "
        + "was pruned so, get it again"
    ]
  }
}

extension AlignedBuffer where Element: Numeric {
  /// Whether every element is zero.
  fileprivate var isZero: Bool { span.withUnsafeBufferPointer { $0.allSatisfy { $0 == 0 } } }
}
