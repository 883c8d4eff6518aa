/// A column of the results' table.
public struct ReportColumn: Sendable {
  /// Columns stand in the order of their groups.
  public enum Group: Int, Sendable, CaseIterable {
    /// How large a model is and how it was trained.
    case training
    /// How good it is.
    case quality
    /// What its weights take, as codes.
    case coding
    /// What they take in memory.
    case memory
    /// What rounding them lost.
    case rounding
    /// How fast it is.
    case speed
    /// What it costs, and how near it is to what the machine can do.
    case energy
    /// Everything else.
    case other
  }

  /// The heading.
  public let title: String
  /// The metric, `section.name`.
  public let key: String
  /// The metric that holds its error.
  public let errorKey: String?
  /// Where it stands.
  public let group: Group
  /// Whether the figure is a share of things that were counted, which has an interval instead of an
  /// error.
  public let isShare: Bool
  /// One sentence for readers who meet the figure for the first time.
  public let meaning: String
  /// For a column of differences, of what.
  var quantity: PairedQuantity?
  let isShown: @Sendable ([RunRecord]) -> Bool
  let format: @Sendable (_ value: Double, _ error: Double?) -> String

  /// Describes a column: it is shown where a record has the metric and `isShown` says so of all
  /// records. By itself a value has as many digits as its error allows, or four.
  public init(
    _ title: String, key: String, error errorKey: String? = nil, group: Group = .other,
    isShare: Bool = false, meaning: String,
    format: @escaping @Sendable (_ value: Double, _ error: Double?) -> String = {
      Report.text($0, error: $1)
    },
    isShown: @escaping @Sendable ([RunRecord]) -> Bool = { _ in true }
  ) {
    self.title = title
    self.key = key
    self.errorKey = errorKey
    self.group = group
    self.isShare = isShare
    self.meaning = meaning
    self.isShown = isShown
    self.format = format
  }
}

extension Report {
  /// `5.57 ± 0.49`: as many digits as the error allows, four where there is none.
  public static func text(_ value: Double, error: Double? = nil) -> String {
    Figures.text(value, error: error)
  }

  /// What is known of every model that was loaded.
  static let model = [
    ReportColumn(
      "Parameters", key: "model.parameters", group: .training,
      meaning: "Weights of the linear layers, the embedding and the output head, in millions."
    ) { value, _ in
      Figures.fixed(value / 1e6, 2) + " M"
    } isShown: { records in
      // How large the models are matters where they differ.
      Set(records.compactMap { $0.metrics["model.parameters"] }).count > 1
    },
    ReportColumn(
      "Trained on", key: "model.training_tokens", group: .training,
      meaning: "Tokens that the training read."
    ) { value, _ in Figures.fixed(value / 1e6, 2) + " M tokens" },
    ReportColumn(
      "Training", key: "model.training_seconds", group: .training,
      meaning: "Time of all training steps, on the machine that trained it."
    ) { value, _ in Figures.fixed(value / 60, 1) + " min" },
    ReportColumn(
      "Bits in memory", key: "model.bits_per_weight", group: .memory,
      meaning:
        "Bytes of the linear layers in the packing of the kernel that the variant names, scales and padding "
        + "included, in bits a weight; where it leaves the kernel to 'auto', in the plainest packing (I2_S, "
        + "2 bits a trit), whatever 'auto' picked by speed."
    ) { value, _ in Figures.fixed(value, 2) },
    ReportColumn(
      "Linear weights", key: "model.linear_bytes", group: .memory,
      meaning: "The same in bytes; embedding and output head come on top."
    ) { value, _ in Figures.bytes(value) },
  ]
}
