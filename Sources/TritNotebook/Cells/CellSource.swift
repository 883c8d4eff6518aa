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
    /// Whether a `guard` binds it that could not be written otherwise (`GuardBindings`): modules do
    /// not export such names, so that a second module does (`CellNames.keptModule`).
    var isOfGuard = false
  }

  /// Names in the order of the text; operators and extensions have none.
  var declarations: [Declaration] = []
  /// Guards of the top level that bind names.
  private var guards: [GuardBindings] = []
  /// Changes that make variables of the module of what guards bind.
  private(set) var edits: [GuardBindings.Edit] = []
  /// Imports as they are written; later cells have them too.
  var imports: [String] = []
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
      if kind == "import_decl", let line = Self.importLine(item, of: lines) {
        imports.append(line)
      }
      guard kind == "top_level_code_decl" else { continue }
      if topLevelAwait == nil { topLevelAwait = Self.await(in: item["body"] as Any, of: lines) }
      for found in Self.guards(item, lead) {
        guards.append(found)
        for (name, kind) in found.conditions.joined()
        where !declarations.contains(where: { $0.name == name }) {
          declarations.append(Declaration(name: name, kind: kind, isOfGuard: true))
        }
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

  /// What a `guard` at the top level binds: it stays in scope after it, unlike what `if`, `while`,
  /// `for` and `switch` bind.
  private static func guards(_ item: [String: Any], _ lead: Int) -> [GuardBindings] {
    let body = item["body"] as? [String: Any]
    let statements = body?["elements"] as? [[String: Any]] ?? []
    return statements.filter { $0["_kind"] as? String == "guard_stmt" }.compactMap { statement in
      let conditions = (statement["conditions"] as? [[String: Any]] ?? []).map { condition in
        bound(in: condition["pattern"] as Any, kind: "let")
      }
      let range = statement["range"] as? [String: Any]
      let inner = (statement["body"] as? [String: Any])?["range"] as? [String: Any]
      guard conditions.contains(where: { !$0.isEmpty }), let start = range?["start"] as? Int,
        let end = range?["end"] as? Int, let body = inner?["start"] as? Int
      else { return nil }
      return GuardBindings(
        start: start - lead, body: body - lead, end: end - lead, conditions: conditions)
    }
  }

  /// Writes guards so that what they bind are variables of the module, where that can be done.
  /// `outer` gives what else the name of an earlier cell can be called.
  mutating func liftGuards(of text: String, outer: (String) -> String?) {
    let bytes = Array(text.utf8)
    for one in guards {
      guard let changes = one.edits(of: bytes, outer: outer) else { continue }
      edits += changes
      let names = Set(one.conditions.joined().map(\.name))
      for index in declarations.indices where names.contains(declarations[index].name) {
        declarations[index].isOfGuard = false
      }
    }
  }

  /// The names of a pattern; `kind` is the nearest `let` or `var` around it.
  private static func bound(in node: Any, kind: String) -> GuardBindings.Condition {
    if let list = node as? [Any] { return list.flatMap { bound(in: $0, kind: kind) } }
    guard let object = node as? [String: Any] else { return [] }
    let word = object["_kind"] as? String
    // What is within a closure stays there.
    if word == "closure_expr" { return [] }
    if word == "pattern_named" {
      return name(object).map { [($0, kind)] } ?? []
    }
    let inner = word == "pattern_binding" ? object["kind"] as? String ?? kind : kind
    return object.sorted { $0.key < $1.key }.flatMap { bound(in: $0.value, kind: inner) }
  }

  /// An import as it is written, from where it begins to the end of its line or a semicolon.
  private static func importLine(_ item: [String: Any], of bytes: [UInt8]) -> String? {
    guard let start = (item["range"] as? [String: Any])?["start"] as? Int, start < bytes.count
    else { return nil }
    let line = String(decoding: bytes[start...].prefix { $0 != 10 && $0 != 59 }, as: UTF8.self)
    let bare = line.range(of: "//").map { String(line[..<$0.lowerBound]) } ?? line
    return bare.trimmingCharacters(in: .whitespaces)
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
