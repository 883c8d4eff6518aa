import Foundation

/// What a cell of Swift declares at its top level, and whether it ends in a value: read from the
/// tree that the compiler's own parser gives (`swift-frontend -dump-parse -dump-ast-format json`).
struct CellSource: Sendable {
  /// A name that later cells can use.
  struct Declaration: Codable, Sendable, Equatable {
    var name: String
    /// The word of a scoped import: `struct`, `class`, `enum`, `protocol`, `typealias`, `func`,
    /// `let`, `var`.
    var kind: String
  }

  /// Names in the order of the text; operators and extensions have none.
  var declarations: [Declaration] = []
  /// The UTF-8 offsets of an expression that the cell ends with, whose value is shown.
  var shown: Range<Int>?
  /// The offset of the first `await` at the top level, which cells cannot have.
  var topLevelAwait: Int?

  private static let kinds = [
    "struct_decl": "struct", "class_decl": "class", "enum_decl": "enum",
    "protocol_decl": "protocol", "typealias": "typealias", "typealias_decl": "typealias",
    "func_decl": "func",
  ]

  /// Reads the tree of `text`, before which stood `lead` empty lines. nil where it is no tree.
  init?(tree: String, of text: String, lead: Int) {
    guard let root = try? JSONSerialization.jsonObject(with: Data(tree.utf8)) as? [String: Any],
      let items = root["items"] as? [[String: Any]]
    else { return nil }
    let lines = Array((String(repeating: "\n", count: lead) + text).utf8)
    for item in items {
      let kind = item["_kind"] as? String ?? ""
      if let word = Self.kinds[kind], let name = Self.name(item) {
        declarations.append(Declaration(name: name, kind: word))
      }
      if kind == "var_decl", let name = Self.name(item) {
        declarations.append(
          Declaration(name: name, kind: item["let"] as? Bool == true ? "let" : "var"))
      }
      if kind == "top_level_code_decl", topLevelAwait == nil {
        topLevelAwait = Self.await(in: item["body"] as Any, of: lines)
      }
    }
    let last = items.last { $0["_kind"] as? String != "var_decl" }
    if let last, last["_kind"] as? String == "top_level_code_decl" {
      shown = Self.expression(in: last, of: lines).map {
        ($0.lowerBound - lead)..<($0.upperBound - lead)
      }
    }
    topLevelAwait = topLevelAwait.map { max($0 - lead, 0) }
  }

  private static func name(_ item: [String: Any]) -> String? {
    let name = item["name"] as? [String: Any]
    let base = name?["base_name"] as? [String: Any]
    if base?["is_operator"] as? Bool == true { return nil }
    return base?["name"] as? String
  }

  /// The offset of an `await` that belongs to the top level: those in closures do not.
  private static func await(in node: Any, of bytes: [UInt8]) -> Int? {
    if let list = node as? [Any] {
      return list.lazy.compactMap { Self.await(in: $0, of: bytes) }.first
    }
    guard let object = node as? [String: Any] else { return nil }
    let kind = object["_kind"] as? String ?? ""
    if kind == "closure_expr" || kind.hasSuffix("func_decl") { return nil }
    let start = (object["range"] as? [String: Any])?["start"] as? Int
    // The tree does not say that a loop awaits; its text does.
    let isLoop =
      kind == "for_each_stmt" && start.map { isAwaiting(bytes[min($0, bytes.count)...]) } == true
    if kind == "await_expr" || isLoop { return start ?? 0 }
    return object.values.lazy.compactMap { Self.await(in: $0, of: bytes) }.first
  }

  /// Whether a loop's text begins with `for await` or `for try await`.
  private static func isAwaiting(_ loop: ArraySlice<UInt8>) -> Bool {
    let words = String(decoding: loop.prefix(200), as: UTF8.self).split(
      whereSeparator: \.isWhitespace)
    return words.dropFirst().first == "await" || words.dropFirst().prefix(2) == ["try", "await"]
  }

  /// The range of a statement that is an expression with a value to show.
  private static func expression(in item: [String: Any], of bytes: [UInt8]) -> Range<Int>? {
    guard let body = item["body"] as? [String: Any],
      let element = (body["elements"] as? [[String: Any]])?.last,
      let kind = element["_kind"] as? String, kind.hasSuffix("_expr"), kind != "assign_expr",
      let start = (item["range"] as? [String: Any])?["start"] as? Int, start < bytes.count
    else { return nil }
    let parts = element["elements"] as? [[String: Any]] ?? []
    if parts.contains(where: { $0["_kind"] as? String == "assign_expr" }) { return nil }
    // The tree says where the last token begins, not where it ends: the expression ends with the
    // text.
    var end = bytes.count
    while end > start, [9, 10, 13, 32].contains(bytes[end - 1]) { end -= 1 }
    // A semicolon says that the value is not wanted.
    let code = String(decoding: bytes[start..<end], as: UTF8.self)
    return withoutComments(code).hasSuffix(";") ? nil : start..<end
  }

  /// `code` without comments at its end.
  private static func withoutComments(_ code: String) -> String {
    var lines = code.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    while let line = lines.last {
      let bare = line.trimmingCharacters(in: .whitespaces)
      if bare.isEmpty || bare.hasPrefix("//") {
        lines.removeLast()
        continue
      }
      guard let mark = bare.range(of: "; //") ?? bare.range(of: ";//") else { return bare }
      return String(bare[..<mark.lowerBound]) + ";"
    }
    return ""
  }
}
