import Foundation
import TritLab

/// Writes benchmark rows as they come, in one of llama-bench's formats or, for a terminal, as a
/// narrow table.
struct BenchTable {
  /// The formats that there are.
  static let formats = ["table", "md", "csv", "json", "jsonl", "sql"]

  private let format: String
  private let varying: Set<String>
  private let write: (String) throws -> Void
  private var count = 0
  private var isClosed = false
  /// Widths of the columns, as wide as their widest text so far.
  private var widths: [Int] = []
  /// Lines that follow the table.
  private var extrapolations: [String] = []
  private var disturbances: [String] = []
  /// Kernels whose names had no room in the narrow table.
  private var longKernels: [String] = []
  /// Columns that the narrow table has room for.
  private let room: Int

  /// A table in `format` that goes to `write`. `varying` names the columns of choices that differ
  /// between rows: those are shown although they are not among the fixed ones.
  init(
    format: String, varying: Set<String>, room: Int = 80,
    write: @escaping (String) throws -> Void
  ) {
    self.format = format
    self.room = room
    self.varying = varying
    self.write = write
  }

  /// Writes one row, after the head if it is the first.
  mutating func append(_ row: BenchRow) throws {
    defer { count += 1 }
    switch format {
    case "csv":
      if count == 0 { try write(row.fields.map(\.key).joined(separator: ",") + "\n") }
      try write(row.fields.map { Self.quoted(Self.plain($0.value)) }.joined(separator: ",") + "\n")
    case "json":
      let text = JSONWriter.text(.object(row.fields), pretty: true)
      let indented = text.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n")
      try write((count == 0 ? "[\n" : ",\n") + indented)
    case "jsonl": try write(JSONWriter.text(.object(row.fields)) + "\n")
    case "sql": try write(sql(row))
    case "table": try write(narrow(row))
    default: try write(markdown(row))
    }
  }

  /// Whether the format is read by people: lines about the rows follow it.
  var isForPeople: Bool { format == "md" || format == "table" }

  /// Closes the list of the format `json`, once: also where a run ended early.
  mutating func close() throws {
    guard format == "json", !isClosed else { return }
    isClosed = true
    try write(count == 0 ? "[]\n" : "\n]\n")
  }

  /// Closes what is open, with the lines that follow a table.
  mutating func finish() throws {
    try close()
    if isForPeople {
      if !longKernels.isEmpty {
        try write("\nkernels:\n")
        for line in longKernels { try write("- " + line + "\n") }
      }
      if !extrapolations.isEmpty {
        try write("\nextrapolations, not measurements:\n")
        for line in extrapolations { try write(item(line)) }
      }
      if !disturbances.isEmpty {
        try write("\n(!) others used the machine, these speeds are too low or uncertain:\n")
        for line in disturbances { try write(item(line)) }
      }
      let commit = String((BuildInformation.commit ?? "unknown").prefix(8))
      try write("\nbuild: \(commit) (trit \(BuildInformation.version))\n")
    }
  }

  private func item(_ text: String) -> String {
    guard format == "table" else { return "- \(text)\n" }
    return "- " + TextLayout.wrap(text, width: room, indent: 2).joined(separator: "\n").dropFirst(2)
      + "\n"
  }

  /// The narrow table: what all rows share stands above it once; then what differs, as far as there
  /// is room.
  private mutating func narrow(_ row: BenchRow) -> String {
    note(row)
    let wide = columns(row)
    let shared = ["model", "size", "params", "backend"]
    var wanted = wide.filter { $0.title == "kernel" }
    wanted += wide.filter { !shared.contains($0.title) && $0.title != "kernel" }
    // What all rows may have in common goes first where there is no room; rates stay.
    let sizes = [
      "threads": 7, "kernel": 17, "test": row.measurement.depth > 0 ? 14 : 8, "t/s": 23,
      "of the roof": 18,
    ]
    for index in wanted.indices {
      wanted[index].width = max(
        sizes[wanted[index].title] ?? wanted[index].width, wanted[index].title.count)
    }
    for title in ["MB/token", "GB/s", "threads", "of the roof"] {
      let total = wanted.reduce(-1) { $0 + $1.width + 1 }
      guard total > room, let index = wanted.firstIndex(where: { $0.title == title }) else {
        continue
      }
      wanted.remove(at: index)
    }
    if row.kernel.count > 17, !longKernels.contains(row.kernel) { longKernels.append(row.kernel) }
    func line(_ cell: (Int) -> String) -> String {
      let cells = wanted.indices.map { index in
        let text = cell(index)
        let fits = wanted[index].title == "kernel" ? TextLayout.cut(text, to: 17) : text
        return pad(fits, wanted[index].width, wanted[index].isRight)
      }
      var text = cells.joined(separator: " ")
      while text.last == " " { text.removeLast() }
      return text + "\n"
    }
    var text = ""
    if count == 0 {
      let facts = wide.filter { shared.contains($0.title) }.map(\.text)
      text += "\(facts[0]), \(facts[1]), \(facts[2]) parameters, \(facts[3])"
      if !wanted.contains(where: { $0.title == "threads" }) {
        text += varying.contains("threads") ? "" : ", \(row.engine.threads) threads"
      }
      text += "\n\n" + line { wanted[$0].title }
    }
    return text + line { wanted[$0].text }
  }

  private mutating func note(_ row: BenchRow) {
    if let extrapolation = row.extrapolation { extrapolations.append(extrapolation) }
    if let disturbance = row.disturbance { disturbances.append(disturbance) }
  }

  /// Title, width and side of the columns that are shown; llama-bench's, then ours.
  private func columns(_ row: BenchRow) -> [(
    title: String, width: Int, isRight: Bool, text: String
  )] {
    let gigabytes = row.gigabytesPerSecond.map { String(format: "%.2f", $0) } ?? ""
    let selection = row.engine.selection
    var columns = [
      ("model", 30, false, row.model),
      ("size", 10, true, BenchRow.size(row.checkpoint.byteCount)),
      ("params", 10, true, BenchRow.scaled(row.checkpoint.parameterCount)),
      ("backend", 10, false, "CPU"),
      ("threads", 7, true, "\(row.engine.threads)"),
      ("kernel", 20, false, row.kernel),
    ]
    if varying.contains("quantizer") {
      columns.append(("quantizer", 16, false, selection.quantizer?.description ?? "model"))
    }
    if varying.contains("type_k") {
      columns.append(("type_k", 6, true, selection.cache.description))
    }
    if varying.contains("head") {
      columns.append(("head", 12, false, row.engine.headReport.kernel))
    }
    columns.append(("test", 15, true, row.test))
    columns.append(("t/s", 20, true, row.rateText))
    let bytes =
      row.bytesPerToken.map {
        (row.engine.readsAllWeights ? "" : "≤ ") + String(format: "%.1f", Double($0) * 1e-6)
      } ?? ""
    columns.append(("MB/token", 8, true, bytes))
    columns.append(("GB/s", 8, true, gigabytes))
    columns.append(("of the roof", 19, true, row.share))
    return columns
  }

  private mutating func markdown(_ row: BenchRow) -> String {
    let columns = columns(row)
    note(row)
    // Rows are printed as they come: the head fits the first row, and a later one may only widen.
    widths = columns.enumerated().map { index, column in
      let known = index < widths.count ? widths[index] : max(column.title.count, column.width)
      return max(known, column.text.count)
    }
    var text = ""
    if count == 0 {
      text += line(zip(columns, widths).map { pad($0.title, $1, $0.isRight) })
      text += line(
        zip(columns, widths).map { column, width in
          let dashes = String(repeating: "-", count: width - 1)
          return column.isRight ? dashes + ":" : dashes + "-"
        })
    }
    return text + line(zip(columns, widths).map { pad($0.text, $1, $0.isRight) })
  }

  private func line(_ cells: [String]) -> String {
    "| " + cells.joined(separator: " | ") + " |\n"
  }

  private func pad(_ text: String, _ width: Int, _ isRight: Bool) -> String {
    let gap = String(repeating: " ", count: max(0, width - text.count))
    return isRight ? gap + text : text + gap
  }

  private func sql(_ row: BenchRow) -> String {
    // Lists have no column of their own, as in llama-bench.
    let fields = row.fields.filter { $0.value.array == nil }
    var text = ""
    if count == 0 {
      let columns = fields.map { field -> String in
        let isNumber = field.value.double != nil
        let isWhole = field.value.integer != nil && !field.key.hasSuffix("_ts")
        return "  \(field.key) " + (isNumber ? (isWhole ? "INTEGER" : "REAL") : "TEXT")
      }
      text += "CREATE TABLE IF NOT EXISTS test (\n" + columns.joined(separator: ",\n") + "\n);\n\n"
    }
    let values = fields.map { "'" + Self.plain($0.value).replacing("'", with: "''") + "'" }
    return text + "INSERT INTO test (" + fields.map(\.key).joined(separator: ", ")
      + ") VALUES (" + values.joined(separator: ", ") + ");\n"
  }

  private static func plain(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .null: ""
    case .bool(let flag): flag ? "1" : "0"
    case .array(let values): values.map(plain).joined(separator: " ")
    default: JSONWriter.text(value)
    }
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
