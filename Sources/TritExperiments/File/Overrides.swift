internal import TritCore

/// `--set a.b=value`: a change to an experiment's document from the command line.
///
/// The path is keys with dots between; a key with dots in it stands in double quotes; `[1]` picks
/// an element of a list, from 0. The value is YAML, so that `--set sweep.kernel=[tl1,tl2]` gives a
/// list.
struct Override {
  private enum Step {
    case key(String)
    case index(Int)
  }

  let path: String
  private let steps: [Step]
  private let value: YAMLNode
  /// Keys whose value may be the name of a stage alone.
  private let stages: Set<String>

  /// Reads `a.b=value`; throws a usage error with the form that was expected.
  init(_ text: String, lab: Lab) throws {
    stages = Set(lab.kinds(in: .layer, .model).map(\.key.rawValue))
    guard let split = Self.equalsSign(text), split > text.startIndex else {
      throw LabError(
        .usage, "cannot read the override '\(text)'", at: "--set",
        expected: "key.path=value, as in measure.speed.tokens=32", got: text)
    }
    path = String(text[..<split])
    steps = try Self.steps(path)
    let written = String(text[text.index(after: split)...])
    value =
      written.allSatisfy(\.isWhitespace)
      ? YAMLNode(.scalar("", plain: true), at: .override(path))
      : try YAMLReader.read(override: written, path: path)
  }

  /// The key that the path begins with.
  var firstKey: String? { if case .key(let key)? = steps.first { key } else { nil } }

  /// Applies the override; intermediate mappings are made where they are missing, and a stage
  /// written by its name alone becomes `{name: …}` where the path goes on into its parameters.
  func apply(to document: inout YAMLNode) throws { try apply(steps[...], to: &document, done: "") }

  private func apply(_ rest: ArraySlice<Step>, to node: inout YAMLNode, done: String) throws {
    guard let step = rest.first else {
      node = value
      return
    }
    switch step {
    case .key(let key):
      if case .scalar = node.content, let text = node.text {
        let last = done.split(separator: ".").last.map(String.init) ?? ""
        if !node.isNull, stages.contains(last) {
          let name = YAMLNode(.scalar(text, plain: false), at: node.position)
          node.content = .mapping([YAMLEntry("name", at: node.position, name)])
        } else if node.isNull {
          node = YAMLNode(.mapping([]), at: .override(path))
        }
      }
      guard case .mapping(var entries) = node.content else {
        throw fails("'\(done)' is \(node.kindText) and has no keys", advice: nil)
      }
      let inner = done.isEmpty ? key : "\(done).\(key)"
      if let index = entries.firstIndex(where: { $0.key == key }) {
        try apply(rest.dropFirst(), to: &entries[index].value, done: inner)
      } else {
        var child = YAMLNode(.mapping([]), at: .override(path))
        try apply(rest.dropFirst(), to: &child, done: inner)
        entries.append(YAMLEntry(key, at: .override(path), child))
      }
      node.content = .mapping(entries)
    case .index(let index):
      guard case .sequence(var list) = node.content else {
        throw fails("'\(done)' is \(node.kindText), not a list", advice: nil)
      }
      guard list.indices.contains(index) else {
        throw fails(
          "'\(done)' has no element [\(index)]",
          advice: list.isEmpty ? "the list is empty" : "use 0…\(list.count - 1)")
      }
      try apply(rest.dropFirst(), to: &list[index], done: "\(done)[\(index)]")
      node.content = .sequence(list)
    }
  }

  private func fails(_ what: String, advice: String?) -> LabError {
    LabError(.usage, what, at: "--set \(path)", advice: advice)
  }

  /// The first `=` outside quotes.
  private static func equalsSign(_ text: String) -> String.Index? {
    var isQuoted = false
    for index in text.indices {
      if text[index] == "\"" { isQuoted.toggle() }
      if text[index] == "=", !isQuoted { return index }
    }
    return nil
  }

  private static func steps(_ path: String) throws -> [Step] {
    func fails(_ why: String) -> LabError {
      LabError(
        .usage, "cannot read the key path '\(path)': \(why)", at: "--set \(path)",
        expected:
          #"keys with dots between, as in variants[1].kernel or base.layers."blk.0.*".kernel"#)
    }
    var steps: [Step] = []
    var word = ""
    var isQuoted = false
    var wordIsOpen = true
    var characters = Array(path)[...]
    while let character = characters.popFirst() {
      switch character {
      case "\"":
        isQuoted.toggle()
      case ".", "[":
        if isQuoted {
          word.append(character)
          continue
        }
        if wordIsOpen {
          guard !word.isEmpty else { throw fails("an empty key") }
          steps.append(.key(word))
          word = ""
        }
        wordIsOpen = character == "."
        if character == "[" {
          let digits = characters.prefix { $0 != "]" }
          characters = characters.dropFirst(digits.count)
          guard characters.popFirst() == "]", let index = Int(String(digits)), index >= 0 else {
            throw fails("an index must be [0], [1]…")
          }
          steps.append(.index(index))
        }
      default:
        guard wordIsOpen || isQuoted else { throw fails("'\(character)' after ']'") }
        word.append(character)
      }
    }
    guard !isQuoted else { throw fails("a quote is not closed") }
    if wordIsOpen {
      guard !word.isEmpty else { throw fails("an empty key") }
      steps.append(.key(word))
    }
    // A file is no deeper, and every level is a call within a call.
    guard steps.count <= YAMLReader.maximumDepth else {
      throw LabError(
        .usage, "a key path of --set is too deep", at: "--set \(path.prefix(40))…",
        expected: "at most \(YAMLReader.maximumDepth) keys", got: "\(steps.count) keys")
    }
    return steps
  }
}
