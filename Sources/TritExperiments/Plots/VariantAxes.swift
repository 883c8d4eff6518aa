/// The axes along which the variants of a run differ: those of its sweep, or, where records are
/// drawn, the choices that several of them share.
struct VariantAxes {
  /// One axis.
  struct Axis {
    /// The key, and what is written beside the values.
    let key: String
    let title: String
    /// Its values, in the order of their numbers where all have one, else as they come.
    let values: [String]
    /// The number in each value, where that is all in which values differ.
    let numbers: [Double]?
  }

  let axes: [Axis]
  /// Values by record id and axis; none for a variant with a name of its own.
  private let values: [String: [String]]

  init(_ report: Report) {
    let planned = report.plan.file.sweep.map(\.key)
    let names = Set(report.plan.variants.filter { $0.name != nil }.map(\.id))
    let swept = report.variants.filter { !names.contains($0.id) }
    let keys = planned.isEmpty ? Self.shared(swept) : planned
    var axes: [Axis] = []
    for key in keys {
      var found: [String] = []
      for record in swept {
        let value = Self.value(record, key)
        if !found.contains(value) { found.append(value) }
      }
      if found.count > 1 { axes.append(Self.axis(key, found)) }
    }
    self.axes = axes
    values = Dictionary(
      swept.map { record in (record.id, axes.map { Self.value(record, $0.key) }) },
      uniquingKeysWith: { first, _ in first })
  }

  /// The value of `record` on axis `index`; nil for one that the sweep has not made.
  func value(_ record: RunRecord, _ index: Int) -> String? {
    values[record.id].flatMap { $0.indices.contains(index) ? $0[index] : nil }
  }

  /// The number of that value.
  func number(_ record: RunRecord, _ index: Int) -> Double? {
    guard let numbers = axes[index].numbers, let value = value(record, index),
      let place = axes[index].values.firstIndex(of: value)
    else { return nil }
    return numbers[place]
  }

  /// The place of that value among those of the axis.
  func place(_ record: RunRecord, _ index: Int) -> Int? {
    value(record, index).flatMap { axes[index].values.firstIndex(of: $0) }
  }

  /// The label without the axes in `apart`, which stand elsewhere; all of it where nothing is left.
  func label(_ record: RunRecord, without apart: Set<Int>) -> String {
    guard values[record.id] != nil else { return record.label }
    let rest = axes.indices.filter { !apart.contains($0) }
    let parts = rest.compactMap { index in
      value(record, index).map { Self.named($0, axes[index].key) }
    }
    return parts.isEmpty ? record.label : parts.joined(separator: " · ")
  }

  /// What names the value of each axis that is not in `apart`: `cache f16, activations int8`.
  func titled(_ record: RunRecord, without apart: Set<Int>) -> String {
    axes.indices.filter { !apart.contains($0) }
      .compactMap { index in value(record, index).map { "\(axes[index].key) \($0)" } }
      .joined(separator: ", ")
  }

  /// One name for several variants in one place: what they share on the axes, and how many they are;
  /// their own names where they are few or share nothing.
  func name(_ records: [RunRecord]) -> String {
    let names = records.map(\.label)
    guard records.count > 2 else { return names.joined(separator: ", ") }
    let shared = axes.indices.compactMap { index -> String? in
      let found = Set(records.map { value($0, index) })
      return found.count == 1 ? found.first ?? nil : nil
    }
    if !shared.isEmpty { return "\(shared.joined(separator: " · ")) (\(records.count) variants)" }
    return records.count <= 4
      ? names.joined(separator: ", ") : "\(names[0]) and \(names.count - 1) more"
  }

  /// The value as part of a name: a bare number says of what.
  private static func named(_ value: String, _ key: String) -> String {
    if key == "threads" { return value == "1" ? "1 thread" : "\(value) threads" }
    return Double(value) == nil ? value : "\(key) \(value)"
  }

  private static func value(_ record: RunRecord, _ key: String) -> String {
    if key == "layers" {
      let chosen = record.params.filter { $0.key.hasPrefix("layers.") }
        .map { "\($0.key.dropFirst("layers.".count)) \($0.value)" }.sorted()
      return chosen.isEmpty ? "–" : chosen.joined(separator: ", ")
    }
    let value = record.params[key] ?? "–"
    return key == "model" ? value.split(separator: "/").last.map(String.init) ?? value : value
  }

  /// Keys that make a grid of records whose sweep is not known: each has several values, fewer than
  /// there are records, and together they tell as many apart as there are.
  private static func shared(_ records: [RunRecord]) -> [String] {
    guard records.count >= 4 else { return [] }
    let keys = Set(records.flatMap(\.params.keys)).filter {
      !$0.hasPrefix("measure.") && !$0.hasPrefix("layers.")
    }
    let several = keys.sorted().filter { key in
      (2..<records.count).contains(Set(records.map { $0.params[key] ?? "" }).count)
    }
    let apart = Set(records.map { record in several.map { record.params[$0] ?? "" } })
    return several.count > 1 && apart.count == records.count ? several : []
  }

  /// Values that differ in one number alone have that for a scale: `absmean:group=32`,
  /// `absmean:group=64`.
  private static func axis(_ key: String, _ found: [String]) -> Axis {
    func split(_ text: String) -> (head: String, number: Double, tail: String)? {
      guard let range = text.ranges(of: /-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?/).last,
        let number = Double(text[range])
      else { return nil }
      return (String(text[..<range.lowerBound]), number, String(text[range.upperBound...]))
    }
    let parts = found.compactMap(split)
    let frames = Set(parts.map { "\($0.head)\t\($0.tail)" })
    guard parts.count == found.count, frames.count == 1,
      Set(parts.map(\.number)).count == found.count,
      let frame = parts.first
    else { return Axis(key: key, title: key, values: found, numbers: nil) }
    let order = found.indices.sorted { parts[$0].number < parts[$1].number }
    // `int8` and `int4` differ in a number that belongs to the name.
    let isBare = frame.head.last.map { !$0.isLetter } ?? true
    let rest = (frame.head + frame.tail).split { ":= ".contains($0) }.joined(separator: " ")
    return Axis(
      key: key, title: rest.isEmpty ? key : "\(key): \(rest)", values: order.map { found[$0] },
      numbers: isBare ? order.map { parts[$0].number } : nil)
  }
}
