public import TritEvaluation
internal import TritCore
internal import TritFormats

/// A measure of a text whose windows can be shared out over runs, each of which keeps what every
/// scored token gave (`WindowPart`), so that the parts join to the figures of one run, digit for
/// digit.
public protocol WindowedMeasure: Measure {
  /// The windows that this run measures.
  var windows: WindowSelection { get }
  /// The figures of the whole from the columns of all parts, in the order of the text; `parts` are
  /// the metrics of each, without the section's key. Throws where the columns do not belong
  /// together.
  func joined(_ columns: [String: [Double]], parts: [[String: Double]]) throws -> Measured
}

/// What one run measured of the windows of a text: columns in float64, which lie beside the record
/// in a file of their own.
public struct WindowPart: Sendable, Codable, Equatable {
  /// The first window, from 0.
  public var first: Int
  /// One after the last.
  public var end: Int
  /// Windows of the whole: of the text, or the first so many that were asked for.
  public var total: Int
  /// Whether the whole was named, so that what no part has is missing; else parts may end where
  /// they end.
  public var isOfWhole: Bool
  /// One value a scored token (or a window, or one) by name, in the order of the text.
  public var columns: [String: [Double]]

  /// The windows `first..<first + count` of `total`.
  public init(
    _ selection: WindowSelection, first: Int, count: Int, total: Int, columns: [String: [Double]]
  ) {
    self.first = first
    end = first + count
    self.total = total
    isOfWhole = selection.whole != .unknown
    self.columns = columns
  }
}

/// That a record is of a part of the windows, and where its exact figures lie.
public struct RecordPart: Codable, Sendable, Equatable {
  /// Digest of everything that the whole depends on: what `inputs` is for a record of all windows.
  public var whole: String
  /// By section of `measure`: the file, relative to the run directory.
  public var files: [String: String] = [:]
}

extension WindowPart {
  private static let form = "trit/windows/1"

  /// Writes the part as safetensors, one vector of float64 a column.
  func write(to path: String, section: String, id: String) throws {
    var tensors: [TensorContent] = []
    for (name, values) in columns {
      tensors.append(
        try TensorContent(
          name: name, type: .f64, shape: [values.count], bytes: values.withUnsafeBytes(Array.init)))
    }
    let metadata = [
      "form": Self.form, "section": section, "variant": id, "first": "\(first)", "end": "\(end)",
      "total": "\(total)", "of_whole": "\(isOfWhole)",
    ]
    try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
  }

  /// Reads what `write` wrote. Throws `missingInput` or `badData` with the file.
  init(path: String, section: String, id: String) throws {
    let file = try SafetensorsFile(path: path)
    let metadata = file.metadata
    func wrong(_ what: String, _ expected: String, _ got: String?) -> LabError {
      LabError(
        .badData, what, at: path, expected: expected, got: got ?? "nothing",
        advice: "measure this part again: remove its run directory and give the same command")
    }
    guard metadata["form"] == Self.form else {
      throw wrong("this is no part of a text's windows", Self.form, metadata["form"])
    }
    for (name, value) in [("section", section), ("variant", id)] where metadata[name] != value {
      throw wrong("the file belongs to another record", "\(name) \(value)", metadata[name])
    }
    func number(_ name: String) throws -> Int {
      guard let value = metadata[name].flatMap({ Int($0) }),
        (0...WindowSelection.limit).contains(value)
      else { throw wrong("the number '\(name)' is none", "a number of windows", metadata[name]) }
      return value
    }
    (first, end, total) = (try number("first"), try number("end"), try number("total"))
    isOfWhole = metadata["of_whole"] == "true"
    guard first < end, end <= total else {
      throw wrong(
        "the range of windows is none", "first < end ≤ total", "\(first):\(end) of \(total)")
    }
    columns = [:]
    for tensor in file.tensors {
      guard tensor.type == .f64, tensor.shape.count == 1 else {
        throw wrong(
          "column '\(tensor.name)' is of another type", "a vector of F64", tensor.type.name)
      }
      let bytes = try file.bytes(tensor.name)
      columns[tensor.name] = (0..<tensor.count).map {
        bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self)
      }
    }
  }

  /// The columns of parts that follow one another.
  static func joined(_ parts: [WindowPart]) -> [String: [Double]] {
    var columns: [String: [Double]] = [:]
    for part in parts { columns.merge(part.columns) { $0 + $1 } }
    return columns
  }
}

/// Columns as a measure wants them back.
struct PartColumns {
  let columns: [String: [Double]]
  let section: String

  /// A column; throws where there is none.
  func values(_ name: String) throws -> [Double] {
    guard let values = columns[name] else { throw wrong("there is no column '\(name)'") }
    return values
  }

  /// A column of whole numbers.
  func integers<Number: FixedWidthInteger>(_ name: String) throws -> [Number] {
    try values(name).map { value in
      guard let number = Number(exactly: value) else {
        throw wrong("column '\(name)' holds \(value), which is no whole number in its range")
      }
      return number
    }
  }

  /// Throws where tokens and windows do not add up.
  func check(tokens names: [String], windows: [Int]) throws {
    let count = windows.reduce(0) { $0 &+ max(0, $1) }
    for name in names where columns[name]?.count != count || windows.contains(where: { $0 < 0 }) {
      throw wrong("column '\(name)' has \(columns[name]?.count ?? 0) tokens, the windows \(count)")
    }
  }

  private func wrong(_ what: String) -> LabError {
    LabError(
      .badData, "parts of measure.\(section) do not join: \(what)",
      advice: "measure the parts again with one program")
  }
}
