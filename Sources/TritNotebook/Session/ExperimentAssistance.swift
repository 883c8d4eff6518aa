import Foundation
import TritCore
import TritExperiments
internal import TritLab

/// What can stand at a place of an experiment: keys, names of stages, their options and words, as
/// the schema of experiment files has them (`trit schema`).
struct ExperimentAssistance {
  private let root: JSONValue

  init(lab: Lab) { root = (try? JSONReader.read(ExperimentSchema.json(lab: lab))) ?? .null }

  /// Where a text breaks off.
  struct Place: Equatable {
    /// The keys above it; `[]` for an item of a list.
    var path: [String]
    /// Whether a key is being written; else a value is.
    var isKey: Bool
    /// What is written of it.
    var word: String
  }

  /// The words that can stand behind `before`, and how much of its end they replace, in scalars.
  func completions(of before: String) -> (matches: [String], replaced: Int) {
    let place = Self.place(before)
    let forms = schemas(at: place.path)
    var words = place.isKey ? keys(of: forms) : values(of: forms)
    // An item of a list may be a mapping, or a word.
    if place.isKey { words += values(of: forms) }
    if !place.isKey, let option = options(place, forms) { words = option }
    var seen: Set<String> = []
    let matches = words.filter { $0.hasPrefix(place.word) && seen.insert($0).inserted }
    return (matches, place.word.unicodeScalars.count)
  }

  /// What is known of the word `word`, which stands behind `before`.
  func inspection(of word: String, before: String) -> String? {
    let place = Self.place(before)
    for form in schemas(at: place.path) {
      if let about = description(form["properties"]?[word]) { return "**\(word)**\n\n\(about)" }
      let isNamed = Self.words(of: form).contains(word)
      if isNamed, let about = description(form) { return "**\(word)**\n\n\(about)" }
    }
    return nil
  }

  // MARK: The schema

  private func description(_ form: JSONValue?) -> String? {
    guard let form else { return nil }
    return form["description"]?.string
      ?? expanded(form).lazy.compactMap { $0["description"]?.string }.first
  }

  /// A form, and what it refers to or chooses from.
  private func expanded(_ form: JSONValue) -> [JSONValue] {
    var found: [JSONValue] = []
    var waiting = [form]
    while let next = waiting.popLast(), found.count < 2000 {
      found.append(next)
      if let name = next["$ref"]?.string, let last = name.split(separator: "/").last,
        let target = root["$defs"]?[String(last)]
      {
        waiting.append(target)
      }
      for key in ["anyOf", "oneOf", "allOf"] { waiting += (next[key]?.array ?? []).reversed() }
    }
    return found
  }

  private func schemas(at path: [String]) -> [JSONValue] {
    var forms = expanded(root)
    for key in path {
      var next: [JSONValue] = []
      for form in forms {
        if key == "[]" {
          if let items = form["items"] { next.append(items) }
          continue
        }
        if let property = form["properties"]?[key] {
          next.append(property)
        } else if let others = form["additionalProperties"], others.object != nil {
          next.append(others)
        }
      }
      forms = next.flatMap(expanded)
    }
    return forms
  }

  private func keys(of forms: [JSONValue]) -> [String] {
    forms.flatMap { ($0["properties"]?.object ?? []).map(\.key) }
  }

  private func values(of forms: [JSONValue]) -> [String] {
    // A list may be begun with its first word.
    let items = forms.compactMap { $0["items"] }.flatMap(expanded)
    return (forms + items).flatMap(Self.words)
  }

  private static func words(of form: JSONValue) -> [String] {
    var values = form["enum"]?.array ?? []
    if let value = form["const"] { values.append(value) }
    if form["type"]?.string == "boolean" { values += [.bool(true), .bool(false)] }
    return values.compactMap { value in
      if let text = value.string { return text }
      if case .bool(let flag) = value { return flag ? "true" : "false" }
      return value.integer.map { "\($0)" }
    }
  }

  /// `absmean:granu` is a stage and the beginning of one of its options.
  private func options(_ place: Place, _ forms: [JSONValue]) -> [String]? {
    guard let colon = place.word.firstIndex(of: ":") else { return nil }
    let name = place.word[..<colon]
    let items = forms.compactMap { $0["items"] }.flatMap(expanded)
    let named = (forms + items).filter { form in
      form["properties"]?["name"].map { Self.words(of: $0).contains(String(name)) } ?? false
    }
    guard !named.isEmpty else { return nil }
    let end = place.word.lastIndex { $0 == "," || $0 == ":" } ?? colon
    let head = place.word[...end]
    if let equals = place.word[end...].firstIndex(of: "=") {
      let option = String(place.word[place.word.index(after: end)..<equals])
      let words = named.compactMap { $0["properties"]?[option] }.flatMap(expanded).flatMap(
        Self.words)
      return words.map { place.word[...equals] + $0 }
    }
    return keys(of: named).filter { $0 != "name" }.map { head + $0 + "=" }
  }

  // MARK: The text

  /// Where `before` breaks off: its blocks by their indents, its last line with what is open in it.
  static func place(_ before: String) -> Place {
    var blocks: [(indent: Int, key: String)] = []
    let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
    for line in lines.dropLast() {
      guard let content = line.first(where: { $0 != " " }), content != "#" else { continue }
      var (indent, rest) = Self.indent(line)
      blocks.removeAll { $0.indent >= indent }
      while rest.hasPrefix("- ") {
        blocks.append((indent, "[]"))
        rest = rest.dropFirst(2)
        indent += 2
      }
      guard let colon = keyEnd(rest) else { continue }
      blocks.append((indent, String(rest[..<colon])))
    }
    var (indent, rest) = Self.indent(lines.last ?? "")
    // A line that is empty so far belongs to the block whose indent it has.
    blocks.removeAll { $0.indent >= indent }
    var path = blocks.map(\.key)
    while rest.hasPrefix("- ") {
      path.append("[]")
      rest = rest.dropFirst(2)
      indent += 2
    }
    guard let colon = keyEnd(rest) else {
      return flow(rest, path, isBlock: true)
    }
    return flow(rest[rest.index(after: colon)...], path + [String(rest[..<colon])], isBlock: false)
  }

  private static func indent(_ line: Substring) -> (Int, Substring) {
    let rest = line.drop { $0 == " " }
    return (line.count - rest.count, rest)
  }

  /// Where the key of a line ends: a colon with a blank, or nothing, behind it.
  private static func keyEnd(_ line: Substring) -> String.Index? {
    guard let first = line.first, !"[{\"'".contains(first) else { return nil }
    var index = line.startIndex
    while let colon = line[index...].firstIndex(of: ":") {
      let next = line.index(after: colon)
      if next == line.endIndex || line[next] == " " { return colon }
      index = next
    }
    return nil
  }

  /// What is open in the rest of a line: `[a, {name: b, c` is at a key of an item.
  private static func flow(_ text: Substring, _ path: [String], isBlock: Bool) -> Place {
    var path = path
    /// For each open bracket: whether it is a mapping, and whether a key of it is in the path.
    var open: [(isMapping: Bool, hasKey: Bool)] = []
    var word = ""
    var quote: Character?
    func drop() {
      if open.last?.hasKey == true {
        path.removeLast()
        open[open.count - 1].hasKey = false
      }
    }
    var rest = text
    while let character = rest.popFirst() {
      if let mark = quote {
        if character == mark { quote = nil } else { word.append(character) }
        continue
      }
      switch character {
      case "\"", "'":
        quote = character
        word = ""
      case "[", "{":
        if character == "[" { path.append("[]") }
        open.append((character == "{", false))
        word = ""
      case "]", "}":
        drop()
        if open.popLast()?.isMapping == false { path.removeLast() }
        word = ""
      case ",":
        // A list of options of one stage has commas too.
        if open.isEmpty {
          word.append(character)
        } else {
          drop()
          word = ""
        }
      case ":"
      where open.last?.isMapping == true && open.last?.hasKey == false
        && rest.first.map { $0 == " " } ?? false:
        path.append(word)
        open[open.count - 1].hasKey = true
        word = ""
      case " ": if word.isEmpty || !isBlock || !open.isEmpty { word = "" }
      default: word.append(character)
      }
    }
    let isKey = open.last.map { $0.isMapping && !$0.hasKey } ?? isBlock
    return Place(path: path, isKey: isKey, word: word)
  }
}
