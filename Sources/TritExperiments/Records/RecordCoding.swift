package import Foundation
internal import TritCore
internal import TritFormats

/// Records as JSON: keys sorted, slashes plain.
///
/// JSON has no infinities and no NaN. A figure that is none is `null`, and the member `undefined`
/// says why, by the figure's name (`series.` in front for a column of a series): a string among
/// numbers would break whoever reads them.
package enum RecordCoding {
  /// How a record's undefined figures stand in what `JSONEncoder` writes, before they become
  /// `null`.
  private static let words = (infinite: "Infinity", negative: "-Infinity", none: "NaN")
  /// How a reason begins, so that a reader knows which value there was.
  private static let beginnings = (
    infinite: "infinite: ", negative: "minus infinite: ", none: "not defined: "
  )
  private static let member = "undefined"
  /// The code of the error for records of another version.
  static let foreignForm = LabError.Code(rawValue: "record.form")

  /// A document with what is hidden in it escaped: it can only be within strings.
  private static func visible(_ document: Data) -> Data {
    let text = String(decoding: document, as: UTF8.self)
    guard text.unicodeScalars.contains(where: { $0 != "\n" && VisibleText.isHidden($0) }) else {
      return document
    }
    var result = ""
    for scalar in text.unicodeScalars {
      guard scalar != "\n", VisibleText.isHidden(scalar) else {
        result.unicodeScalars.append(scalar)
        continue
      }
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return Data(result.utf8)
  }

  /// Writes figures that are none as words.
  static func encoder() -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: words.infinite, negativeInfinity: words.negative, nan: words.none)
    return encoder
  }

  /// Reads what `encoder` writes.
  static func decoder() -> JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: words.infinite, negativeInfinity: words.negative, nan: words.none)
    return decoder
  }

  package static func encode(_ value: some Encodable, pretty: Bool = false) throws -> Data {
    let encoder = encoder()
    encoder.outputFormatting =
      pretty
      ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
      : [.sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(value)
    guard value is RunRecord else { return visible(data) }
    let document = try JSONReader.read(String(decoding: data, as: UTF8.self), path: "record")
    var reasons: [(key: String, value: JSONValue)] = []
    var changed = replacing(document) { key, value in
      guard case .string(let word) = value else { return value }
      let reason = reason(key, word)
      if !reasons.contains(where: { $0.key == key }) { reasons.append((key, .string(reason))) }
      return .null
    }
    guard !reasons.isEmpty, case .object(var members) = changed else { return visible(data) }
    members.append((member, .object(reasons.sorted { $0.key < $1.key })))
    changed = .object(members.sorted { $0.key < $1.key })
    return Data(JSONWriter.text(changed).utf8)
  }

  package static func decode(_ data: Data) throws -> RunRecord {
    let document = try JSONReader.read(String(decoding: data, as: UTF8.self), path: "record")
    if let found = document["schema"]?.string, found != RunRecord.form {
      throw LabError(
        .badData, "a record of another form", expected: RunRecord.form, got: found,
        advice: "read it with the version of trit that wrote it, or measure again with this one",
        code: foreignForm)
    }
    let reasons = document[member]
    let changed = replacing(document) { key, value in
      guard case .null = value else { return value }
      let reason = reasons?[key]?.string ?? ""
      return .string(
        reason.hasPrefix(beginnings.infinite)
          ? words.infinite : reason.hasPrefix(beginnings.negative) ? words.negative : words.none)
    }
    return try decoder().decode(RunRecord.self, from: Data(JSONWriter.text(changed).utf8))
  }

  /// `document` with every figure in `metrics` and in the columns of `series` put through `change`.
  private static func replacing(
    _ document: JSONValue, _ change: (_ key: String, _ value: JSONValue) -> JSONValue
  ) -> JSONValue {
    members(document) { key, value in
      switch key {
      case "metrics": members(value) { change($0, $1) }
      case "series":
        members(value) { series, table in
          members(table) { part, columns in
            guard part == "columns" else { return columns }
            return members(columns) { column, list in
              guard case .array(let values) = list else { return list }
              return .array(values.map { change("series.\(series).\(column)", $0) })
            }
          }
        }
      default: value
      }
    }
  }

  private static func members(
    _ value: JSONValue, _ change: (_ key: String, _ value: JSONValue) -> JSONValue
  ) -> JSONValue {
    guard case .object(let members) = value else { return value }
    return .object(members.map { (key: $0.key, value: change($0.key, $0.value)) })
  }

  /// Why a figure is none, in words.
  private static func reason(_ key: String, _ word: String) -> String {
    let name = key.split(separator: ".").last.map(String.init) ?? key
    switch word {
    case words.infinite, words.negative:
      let beginning = word == words.infinite ? beginnings.infinite : beginnings.negative
      return beginning + (name == "sqnr_db" ? "no weight was rounded" : "beyond every number")
    default:
      let why =
        name.hasSuffix("window_error")
        ? "one window has no spread"
        : name.contains("error")
          ? "one sample has no spread"
          : name == "entropy_bits"
            ? "weights without codes have no entropy"
            : name == "cosine" || name == "sqnr_db"
              ? "the weights are all zero" : "the measurement gave no number"
      return beginnings.none + why
    }
  }
}
