/// Text in a given number of terminal columns.
enum TextLayout {
  /// Columns that a terminal gives `text`: two for each wide character (CJK, emoji), none for
  /// combining marks.
  static func width(_ text: some StringProtocol) -> Int {
    text.reduce(0) { $0 + width($1) }
  }

  private static func width(_ character: Character) -> Int {
    guard let first = character.unicodeScalars.first else { return 0 }
    if first.properties.isEmojiPresentation { return 2 }
    switch first.value {
    // Hangul jamo, CJK and kana, Hangul syllables, compatibility forms, the planes of ideographs.
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }

  /// `text` in lines of at most `width` columns, each `indent` columns in. Words stay whole; only
  /// one that is longer than a line is cut, unless `breaksWords` is false. Line ends in `text`
  /// stay.
  static func wrap(
    _ text: String, width: Int, indent: Int = 0, breaksWords: Bool = true
  ) -> [String] {
    let margin = String(repeating: " ", count: indent)
    let room = max(1, width - indent)
    var lines: [String] = []
    for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
      var line = ""
      for word in paragraph.split(separator: " ") {
        var word = word
        if !line.isEmpty, self.width(line) + 1 + self.width(word) > room {
          lines.append(margin + line)
          line = ""
        }
        while breaksWords, line.isEmpty, self.width(word) > room {
          let head = prefix(of: word, room)
          lines.append(margin + head)
          word = word.dropFirst(head.count)
        }
        line += (line.isEmpty ? "" : " ") + word
      }
      lines.append(line.isEmpty ? "" : margin + line)
    }
    return lines
  }

  /// `text`, or its beginning with `…` behind it where it is wider than `width` columns.
  static func cut(_ text: String, to width: Int) -> String {
    guard self.width(text) > width else { return text }
    return width < 1 ? "" : prefix(of: text[...], width - 1) + "…"
  }

  /// `text` with blanks up to `width` columns, at its end or before it.
  static func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
    let gap = String(repeating: " ", count: max(0, width - self.width(text)))
    return right ? gap + text : text + gap
  }

  /// As many characters as fit, at least one where there is room for none.
  private static func prefix(of text: Substring, _ width: Int) -> String {
    var result = ""
    var used = 0
    for character in text {
      used += self.width(character)
      if used > width, !result.isEmpty || width < 1 { break }
      result.append(character)
    }
    return result
  }
}
