internal import TritCore

/// Writes a tree of nodes as YAML that reads back to the same tree.
public enum YAMLWriter {
  /// The text of `node`, ending in a newline.
  public static func text(_ node: YAMLNode) -> String {
    var output = ""
    write(node, indent: 0, into: &output)
    return output.hasSuffix("\n") ? output : output + "\n"
  }

  private static func write(_ node: YAMLNode, indent: Int, into output: inout String) {
    let margin = String(repeating: "  ", count: indent)
    switch node.content {
    case .scalar(let text, let plain): output += scalar(text, plain: plain) + "\n"
    case .sequence(let list):
      for item in list { output += margin + "- " + flow(item) + "\n" }
      if list.isEmpty { output += margin + "[]\n" }
    case .mapping(let entries):
      for entry in entries {
        output += margin + scalar(entry.key, plain: false) + ":"
        switch entry.value.content {
        case .mapping(let inner) where !inner.isEmpty && indent < 2:
          output += "\n"
          write(entry.value, indent: indent + 1, into: &output)
        case .sequence(let inner) where inner.contains(where: { $0.text == nil }):
          output += "\n"
          write(entry.value, indent: indent + 1, into: &output)
        default: output += " " + flow(entry.value) + "\n"
        }
      }
      if entries.isEmpty { output += margin + "{}\n" }
    }
  }

  /// A value on one line.
  static func flow(_ node: YAMLNode) -> String {
    switch node.content {
    case .scalar(let text, let plain): scalar(text, plain: plain)
    case .sequence(let list): "[" + list.map(flow).joined(separator: ", ") + "]"
    case .mapping(let entries):
      "{"
        + entries.map { scalar($0.key, plain: false) + ": " + flow($0.value) }
        .joined(separator: ", ") + "}"
    }
  }

  /// A scalar, quoted where it would otherwise be read as something else: a text that stood plain
  /// in a block may hold commas, brackets and line breaks, which end it elsewhere.
  static func scalar(_ text: String, plain: Bool) -> String {
    if plain, text.isEmpty { return "null" }
    if case .string = YAMLScalar(text, plain: true) {
      if isSafePlain(text) { return text }
    } else if plain {
      return text
    }
    var quoted = "\""
    for character in text.unicodeScalars {
      switch character {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      case "\r": quoted += "\\r"
      case let other where VisibleText.isHidden(other):
        let digits = String(other.value, radix: 16)
        let (mark, width) =
          other.value < 0x100 ? ("x", 2) : other.value < 0x10000 ? ("u", 4) : ("U", 8)
        quoted += "\\" + mark + String(repeating: "0", count: width - digits.count) + digits
      default: quoted.unicodeScalars.append(character)
      }
    }
    return quoted + "\""
  }

  private static func isSafePlain(_ text: String) -> Bool {
    guard let first = text.utf8.first, first < 0x80 else { return false }
    let isWord = { (byte: UInt8) -> Bool in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || byte == 0x5F || byte == 0x2F || byte == 0x2E
    }
    guard isWord(first) else { return false }
    // A colon inside a word is one of the word; at its end it would make a key of it.
    return text.split(separator: " ", omittingEmptySubsequences: false).allSatisfy { word in
      !word.isEmpty && word.utf8.last != 0x3A
        && word.utf8.allSatisfy { isWord($0) || $0 == 0x2D || $0 == 0x3A }
    }
  }
}
