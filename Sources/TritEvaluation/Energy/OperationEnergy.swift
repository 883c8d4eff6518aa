/// The energy of one addition and one multiplication on a chip, by number format and process node.
///
/// Figures, in picojoules:
///
/// | | add 45 nm | add 7 nm | multiply 45 nm | multiply 7 nm |
/// |---|---|---|---|---|
/// | INT8 | 0.03 | 0.007 | 0.2 | 0.07 |
/// | INT32 | 0.1 | 0.03 | 3.1 | 1.48 |
/// | FP16 | 0.4 | 0.16 | 1.1 | 0.34 |
/// | FP32 | 0.9 | 0.38 | 3.7 | 1.31 |
///
/// Sources: 45 nm: Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC
/// 2014, doi 10.1109/ISSCC.2014.6757323. 7 nm: Jouppi et al., "Ten lessons from three generations
/// shaped Google's TPUv4i", ISCA 2021, table 2; Zhang, Zhang, Lew, "PokeBNN", arXiv 2112.00133, use
/// the same. The BitNet papers (arXiv 2310.11453 §2.3, 2402.17764 figure 3) count with INT8, FP16
/// and FP32 of both.
///
/// These are the adders and multipliers alone: no memory, no control, no wires between them, which
/// on real chips take most of the energy. The model says what arithmetic *could* save.
public enum OperationEnergy {
  /// A process node.
  public enum Node: String, Sendable, Hashable, CaseIterable {
    /// 45 nanometres, 0.9 V.
    case nm45 = "45nm"
    /// 7 nanometres.
    case nm7 = "7nm"
  }

  /// A number format.
  public enum Format: String, Sendable, Hashable, CaseIterable {
    /// 8-bit integers.
    case int8
    /// 32-bit integers.
    case int32
    /// IEEE float16.
    case fp16
    /// IEEE float32.
    case fp32
  }

  /// Picojoules of one addition.
  public static func addition(_ format: Format, _ node: Node) -> Double {
    switch (format, node) {
    case (.int8, .nm45): 0.03
    case (.int8, .nm7): 0.007
    case (.int32, .nm45): 0.1
    case (.int32, .nm7): 0.03
    case (.fp16, .nm45): 0.4
    case (.fp16, .nm7): 0.16
    case (.fp32, .nm45): 0.9
    case (.fp32, .nm7): 0.38
    }
  }

  /// Picojoules of one multiplication.
  public static func multiplication(_ format: Format, _ node: Node) -> Double {
    switch (format, node) {
    case (.int8, .nm45): 0.2
    case (.int8, .nm7): 0.07
    case (.int32, .nm45): 3.1
    case (.int32, .nm7): 1.48
    case (.fp16, .nm45): 1.1
    case (.fp16, .nm7): 0.34
    case (.fp32, .nm45): 3.7
    case (.fp32, .nm7): 1.31
    }
  }
}

/// Additions and multiplications by format.
public struct OperationCount: Sendable, Hashable {
  /// Additions of each format.
  public var additions: [OperationEnergy.Format: Double] = [:]
  /// Multiplications of each format.
  public var multiplications: [OperationEnergy.Format: Double] = [:]

  /// None.
  public init() {}

  /// So many of one format.
  public init(_ format: OperationEnergy.Format, additions: Double, multiplications: Double) {
    if additions > 0 { self.additions[format] = additions }
    if multiplications > 0 { self.multiplications[format] = multiplications }
  }

  /// All additions.
  public var totalAdditions: Double { Self.sum(additions) { _ in 1 } }
  /// All multiplications.
  public var totalMultiplications: Double { Self.sum(multiplications) { _ in 1 } }

  /// Picojoules of all of them.
  public func picojoules(_ node: OperationEnergy.Node) -> Double {
    Self.sum(additions) { OperationEnergy.addition($0, node) }
      + Self.sum(multiplications) { OperationEnergy.multiplication($0, node) }
  }

  /// A weighted sum in the order of `Format.allCases`: a dictionary's own order changes from
  /// process to process, and with it the last bit of a sum.
  private static func sum(
    _ counts: [OperationEnergy.Format: Double], _ weight: (OperationEnergy.Format) -> Double
  ) -> Double {
    OperationEnergy.Format.allCases.reduce(0) { sum, format in
      counts[format].map { sum + $0 * weight(format) } ?? sum
    }
  }

  /// Both together.
  public static func + (left: OperationCount, right: OperationCount) -> OperationCount {
    var sum = left
    sum.additions.merge(right.additions, uniquingKeysWith: +)
    sum.multiplications.merge(right.multiplications, uniquingKeysWith: +)
    return sum
  }
}
