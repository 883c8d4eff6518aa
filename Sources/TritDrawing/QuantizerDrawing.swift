public import TritCore
public import TritQuantization

/// A weight quantizer at work on a small matrix: weights, scale, thresholds, and what they become.
public struct QuantizerDrawing: Sendable, Drawable {
  /// The quantizer's registered name.
  public let name: String
  /// What it does, in a line.
  public let summary: String
  /// The weights.
  public let weights: Matrix<Float>
  /// What it made of them.
  public let quantized: QuantizedWeights
  /// How the first group of weights is coded; nil for quantizers that do not tell.
  public let fit: TernaryFit?

  /// Quantizes `weights`. Throws what `quantizer` throws.
  public init(_ quantizer: any WeightQuantizer, _ weights: Matrix<Float>, summary: String = "")
    throws
  {
    name = quantizer.name
    self.summary = summary
    self.weights = weights
    quantized = try withExtendedLifetime(weights) { try quantizer.quantize($0.view) }
    if let groupwise = quantizer as? any GroupwiseTernaryQuantizer,
      groupwise.granularity == .tensor
    {
      fit = withExtendedLifetime(weights) { groupwise.fit($0.view) }
    } else {
      fit = nil
    }
  }

  /// Where the coding changes its mind: two places, one for signs, none where it is not told.
  public var thresholds: [Double] {
    switch fit?.coding {
    case .rounding(let multiplier)? where multiplier.isFinite && multiplier > 0:
      [-0.5 / Double(multiplier), 0.5 / Double(multiplier)]
    case .threshold(let threshold)? where threshold.isFinite:
      [-Double(threshold), Double(threshold)]
    case .sign(let centre)?: [Double(centre)]
    default: []
    }
  }

  /// Squared error over squared weights; 0 where all weights are 0.
  public var relativeError: Double {
    let after = quantized.dequantized()
    var (error, power) = (0.0, 0.0)
    for row in 0..<weights.rows {
      for column in 0..<weights.columns {
        let weight = Double(weights[row, column])
        let difference = weight - Double(after[row, column])
        error += difference * difference
        power += weight * weight
      }
    }
    return power > 0 ? error / power : 0
  }

  /// The name and the shape.
  public var heading: String { "\(name): \(weights.rows) × \(weights.columns) weights" }
  /// What it does.
  public var legend: String { summary }

  /// The steps with their numbers.
  private var steps: String {
    var words = ""
    switch fit?.coding {
    case .rounding(let multiplier)?:
      let gamma = TextMeasure.number(Double(1 / multiplier))
      words =
        name == "absmean"
        ? "γ = mean |W| = \(gamma). T = RoundClip(W / γ, −1, 1): divided, rounded to the nearest "
          + "integer, ties to even, cut to −1…1. So |W| up to γ/2 = "
          + "\(TextMeasure.number(0.5 / Double(multiplier))) is 0."
        : "T = RoundClip(W / γ, −1, 1) with γ = \(gamma): |W| up to "
          + "\(TextMeasure.number(0.5 / Double(multiplier))) is 0."
    case .threshold(let threshold)?:
      words = "|W| up to \(TextMeasure.number(Double(threshold))) is 0, the rest keeps its sign."
    case .sign(let centre)?:
      words = "+1 above \(TextMeasure.number(Double(centre))), else −1: there is no 0."
    case nil: break
    }
    if let fit { words += " A trit stands for T · \(TextMeasure.number(Double(fit.scale)))." }
    return words
  }

  private func table(_ value: (Int, Int) -> Double) -> Table {
    Table(
      [""] + (0..<weights.columns).map(String.init),
      (0..<weights.rows).map { row in
        ["row \(row)"]
          + (0..<weights.columns).map { TextMeasure.number(value(row, $0), digits: 3) }
      })
  }

  /// Everything, from weights to error.
  public var sheet: Sheet {
    let after = quantized.dequantized()
    let isSmall = weights.columns <= 8 && weights.rows <= 16
    var parts: [Sheet.Part] = []
    let values = (0..<weights.rows).flatMap { row in
      (0..<weights.columns).map { (Double(weights[row, $0]), Double(after[row, $0])) }
    }
    if isSmall {
      parts += [.text("Weights W"), .table(table { Double(weights[$0, $1]) })]
    } else {
      parts.append(.drawing(Histogram("Weights W", values.map(\.0), thresholds: thresholds)))
    }
    if !steps.isEmpty { parts.append(.text(steps)) }
    if isSmall, case .rounding(let multiplier)? = fit?.coding {
      parts += [
        .text("W / γ"), .table(table { Double(weights[$0, $1]) * Double(multiplier) }),
      ]
    }
    switch quantized {
    case .ternary(let matrix): parts.append(.drawing(TritGrid(matrix, "Trits T")))
    case .integer(let matrix):
      let codes = withExtendedLifetime(matrix.values) { Array($0.buffer) }
      let scales = matrix.scales.prefix(4).map { TextMeasure.number(Double($0)) }
      let more = matrix.scales.count > 4 ? ", …" : ""
      if let grid = try? IntegerGrid(
        "Codes of \(matrix.bits) bits, scale \(scales.joined(separator: ", "))\(more)",
        rows: matrix.rows, columns: matrix.columns, values: codes)
      {
        parts.append(.drawing(grid))
      }
    case .dense: parts.append(.text("The weights stay float32."))
    }
    if isSmall {
      parts += [.text("What the codes stand for"), .table(table { Double(after[$0, $1]) })]
    }
    if values.count <= 4096, Set(values.map(\.1)).count <= 16 {
      let line = NumberLine(
        "Where each weight goes", points: values.map { NumberLine.Point($0.0, to: $0.1) },
        thresholds: thresholds, levelNames: levelNames)
      parts.append(.drawing(line))
    }
    parts.append(
      .text("Σ(W − Ŵ)² / ΣW² = \(TextMeasure.number(relativeError, digits: 3))"))
    return Sheet(heading, legend, parts)
  }

  private var levelNames: [Double: String] {
    guard let fit, fit.scale > 0, fit.scale.isFinite else { return [:] }
    var names = [-Double(fit.scale): "−1", Double(fit.scale): "+1"]
    if case .sign = fit.coding { return names }
    names[0] = "0"
    return names
  }

  /// Text and picture.
  public var displayData: DisplayData { sheet.displayData }
  /// The sheet's parts.
  public func draw(on canvas: inout SVGCanvas) { sheet.draw(on: &canvas) }
}

/// An activation quantizer at work on one row.
public struct ActivationDrawing: Sendable, Drawable {
  /// The quantizer's registered name.
  public let name: String
  /// What it does, in a line.
  public let summary: String
  /// The row.
  public let values: [Float]
  /// The int8 codes; nil where the row stays float32.
  public let codes: [Int8]?
  /// What one step of a code stands for; nil where there are no codes.
  public let scale: Float?
  /// What the row stands for afterwards.
  public let dequantized: [Float]

  /// Quantizes one row of `values`.
  public init(_ quantizer: any ActivationQuantizer, _ values: [Float], summary: String = "") {
    name = quantizer.name
    self.summary = summary
    self.values = values
    let rows = QuantizedRows(capacity: 1, columns: values.count)
    let input = Matrix<Float>(rows: 1, columns: values.count, values)
    withExtendedLifetime(input) { quantizer.quantize($0.view, into: rows) }
    let after = rows.dequantized()
    dequantized = (0..<values.count).map { after[0, $0] }
    let isCoded = rows.form == .int8
    codes = isCoded ? (0..<values.count).map { rows.values[$0] } : nil
    scale = isCoded ? rows.scales[0] : nil
  }

  /// The sum of the codes, which kernels that multiply codes of weights need.
  public var sum: Int { codes?.reduce(0) { $0 + Int($1) } ?? 0 }

  /// The name and the length.
  public var heading: String { "\(name): a row of \(values.count) activations" }
  /// What it does.
  public var legend: String { summary }

  /// The row step by step.
  public var sheet: Sheet {
    func number(_ value: Float) -> String { TextMeasure.number(Double(value), digits: 3) }
    let largest = values.map(\.magnitude).max() ?? 0
    var parts: [Sheet.Part] = []
    if let codes, let scale {
      let inverse = TextMeasure.number(1 / Double(scale), digits: 4)
      parts.append(
        .text(
          "Largest |x| = \(number(largest)). A step is \(TextMeasure.number(Double(scale))); "
            + "q = round(x · \(inverse)), and x̂ = q · step."))
      if let grid = try? IntegerGrid("Codes q", rows: 1, columns: codes.count, values: codes) {
        parts.append(.drawing(grid))
      }
    }
    let head = codes == nil ? ["column", "x", "x̂", "x − x̂"] : ["column", "x", "q", "x̂", "x − x̂"]
    parts.append(
      .table(
        Table(
          head,
          values.indices.prefix(64).map { index in
            ["\(index)", number(values[index])]
              + (codes.map { ["\($0[index])".replacing("-", with: "−")] } ?? [])
              + [number(dequantized[index]), number(values[index] - dequantized[index])]
          })))
    if values.count > 64 { parts.append(.text("… and \(values.count - 64) more columns")) }
    let power = values.reduce(0.0) { $0 + Double($1) * Double($1) }
    let error = zip(values, dequantized).reduce(0.0) {
      $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1))
    }
    let words = codes == nil ? "The kernel is given float32 values. " : "Σ q = \(sum). "
    let relative = TextMeasure.number(power > 0 ? error / power : 0, digits: 3)
    parts.append(
      .text(words.replacing("-", with: "−") + "Σ(x − x̂)² / Σx² = \(relative)"))
    return Sheet(heading, legend, parts)
  }

  /// Text and picture.
  public var displayData: DisplayData { sheet.displayData }
  /// The sheet's parts.
  public func draw(on canvas: inout SVGCanvas) { sheet.draw(on: &canvas) }
}

/// Dot products of trits and int8 activations, as kernels compute them: by codes that are never
/// negative, and one correction for all rows.
public struct ProductDrawing: Sendable, Drawable {
  /// The trits.
  public let trits: TritGrid
  /// The activations.
  public let activations: [Int8]
  /// Another way to the same sums, and what it gave: a kernel's.
  public var witness: (name: String, sums: [Int])?

  /// Throws `LabError` where the activations are not as many as there are columns.
  public init(_ trits: TritGrid, _ activations: [Int8]) throws {
    guard activations.count == trits.columns else {
      throw LabError(
        .badData, "a dot product needs an activation for each column",
        expected: "\(trits.columns) activations", got: "\(activations.count)",
        advice: "give one value a column", code: .wrongShape)
    }
    (self.trits, self.activations) = (trits, activations)
  }

  /// Σ q.
  public var activationSum: Int { activations.reduce(0) { $0 + Int($1) } }

  /// Σ code · q of a row, with code = trit + 1.
  public func codeSum(row: Int) -> Int {
    (0..<trits.columns).reduce(0) {
      $0 + (Int(trits.trits[row * trits.columns + $1]) + 1) * Int(activations[$1])
    }
  }

  /// Σ trit · q of a row, by adding and subtracting.
  public func sum(row: Int) -> Int {
    (0..<trits.columns).reduce(0) { sum, column in
      switch trits.trits[row * trits.columns + column] {
      case 1: sum + Int(activations[column])
      case -1: sum - Int(activations[column])
      default: sum
      }
    }
  }

  /// What is multiplied.
  public var heading: String { "\(trits.rows) × \(trits.columns) trits times a row of int8" }
  /// How.
  public var legend: String {
    "A trit times q is q, 0 or −q: nothing is multiplied. Kernels take codes c = trit + 1 of 0…2, "
      + "so that bytes without a sign can be multiplied with bytes with one, and subtract Σ q once."
  }

  private static func number(_ value: Int) -> String {
    value < 0 ? "−\(value.magnitude)" : "\(value)"
  }

  /// One row term by term, then all rows.
  public var sheet: Sheet {
    let number = Self.number
    var grid = trits
    grid.title = "Trits"
    var parts: [Sheet.Part] = [.drawing(grid)]
    if trits.rows > 0, trits.columns > 0 {
      parts.append(.text("Row 0, term by term"))
      let shown = min(trits.columns, 32)
      let terms = (0..<shown).map { column in
        let (trit, q) = (Int(trits.trits[column]), Int(activations[column]))
        return [
          "\(column)", TritGrid.sign(Int8(trit)), "\(trit + 1)", number(q),
          number((trit + 1) * q), number(trit * q),
        ]
      }
      let totals =
        shown == trits.columns
        ? [["Σ", "", "", number(activationSum), number(codeSum(row: 0)), number(sum(row: 0))]] : []
      parts.append(
        .table(Table(["column", "trit", "c", "q", "c · q", "trit · q"], terms + totals)))
      if shown < trits.columns {
        parts.append(.text("… and \(trits.columns - shown) more columns"))
      }
    }
    parts.append(.text("All rows: Σ trit · q = Σ c · q − Σ q"))
    parts.append(
      .table(
        Table(
          ["row", "Σ c · q", "− Σ q", "= Σ trit · q"] + (witness.map { [$0.name] } ?? []),
          (0..<min(trits.rows, 32)).map { row in
            [
              "\(row)", number(codeSum(row: row)), number(-activationSum), number(sum(row: row)),
            ]
              + (witness.map { row < $0.sums.count ? [number($0.sums[row])] : [] } ?? [])
          })))
    return Sheet(heading, legend, parts)
  }

  /// Text and picture.
  public var displayData: DisplayData { sheet.displayData }
  /// The sheet's parts.
  public func draw(on canvas: inout SVGCanvas) { sheet.draw(on: &canvas) }
}
