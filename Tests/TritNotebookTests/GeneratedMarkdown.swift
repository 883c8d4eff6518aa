import Foundation

/// Texts that put pieces of Markdown together in every order, the same in every run.
enum GeneratedMarkdown {
  static let pieces = [
    "*", "**", "_", "__", "***", "`", "``", "[", "]", "(", ")", "](/u)", "[a](b)", "![i](j.png)",
    "[a](<b c> \"t\")", "[r]", "[r][]", "[x][r]", "[R]: /url 'title'\n", "<", ">", "<http://a.b/c>",
    "<a@b.cc>", "&amp;", "&lt;", "&#65;", "&#x42;", "&nosuch;", "\\", "\\*", "\\\n", "  \n", "\n",
    "\n\n", "\n\n\n", "# ", "## ", " #", "---\n", "\n===\n", "\n---\n", "- ", "* ", "+ ", "1. ",
    "2) ", "\n- ", "\n  - ", "\n1. ", "\n   ", "\n    ", "\t", "> ", "\n> ", "\n>> ", "```\n",
    "\n```\n", "~~~ c\n", "\n~~~\n", "\n| a | b |\n|---|:-:|\n| 1 | 2 |\n", "a", "b c", "word",
    "é", "“q”", "1", " ", "  ", "    ", "\"", "'", "(x)", "!", "foo*bar", "snake_case_name", "€",
  ]

  static func texts(_ count: Int) -> [String] {
    // Knuth's MMIX generator: the high bits of a linear congruence.
    var state: UInt64 = 1958
    func draw(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(count))
    }
    return (0..<count).map { _ in
      (0..<(2 + draw(23))).map { _ in pieces[draw(pieces.count)] }.joined() + "\n"
    }
  }

  /// FNV-1a, 64 bits.
  static func digest(_ texts: [String]) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for text in texts {
      for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      hash = (hash ^ 0xff) &* 0x100_0000_01b3
    }
    return hash
  }

  /// Writes texts and what was made of them for `Scripts/check_markdown.py`.
  static func write(_ texts: [String], _ pages: [String], to folder: String) throws {
    for (index, (text, page)) in zip(texts, pages).enumerated() {
      let name = folder + "/" + String(format: "%05d.md", index)
      try Data(text.utf8).write(to: URL(fileURLWithPath: name))
      try Data(page.utf8).write(to: URL(fileURLWithPath: name + ".html"))
    }
  }
}
