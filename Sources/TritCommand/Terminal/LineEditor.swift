/// A line that is being typed: what keys do to it, and what was typed before. Knows no terminal.
package struct LineEditor {
  /// What a key led to.
  package enum Event: Equatable {
    /// The line has changed, or the cursor.
    case edited
    /// The line is done.
    case line(String)
    /// Ctrl-C: the line was thrown away.
    case cancelled
    /// Ctrl-D on an empty line.
    case end
  }

  /// The characters of the line.
  package private(set) var characters: [Character] = []
  /// Where the next character goes.
  package private(set) var cursor = 0
  private var history: [String] = []
  /// Which line of the history is shown; its count for the new line.
  private var place = 0
  /// The new line while an older one is shown.
  private var draft: [Character] = []
  private var pending: [UInt8] = []
  /// How many lines are remembered.
  private static let most = 1000

  /// An empty line.
  package init() {}

  /// Takes a byte of the keyboard: UTF-8, control characters, and escape sequences of xterm. nil
  /// where more must come.
  package mutating func take(_ byte: UInt8) -> Event? {
    pending.append(byte)
    if pending[0] == 0x1B { return takeEscape() }
    if byte < 0x20 || byte == 0x7F {
      pending = []
      return takeControl(byte)
    }
    let isWhole = StreamingWidth.count(of: pending[0]) <= pending.count
    guard isWhole else { return nil }
    defer { pending = [] }
    guard let text = String(validating: pending, as: UTF8.self) else { return nil }
    insert(text)
    return .edited
  }

  private mutating func insert(_ text: String) {
    // A mark joins the character before it.
    let before = String(characters[..<cursor]) + text
    let rest = characters[cursor...]
    characters = Array(before)
    cursor = characters.count
    characters += rest
  }

  private mutating func takeControl(_ byte: UInt8) -> Event? {
    switch byte {
    case 0x0A, 0x0D: return finish()
    case 0x01: cursor = 0
    case 0x02: cursor = max(0, cursor - 1)
    case 0x03:
      show([])
      place = history.count
      return .cancelled
    case 0x04:
      if characters.isEmpty { return .end }
      if cursor < characters.count { characters.remove(at: cursor) }
    case 0x05: cursor = characters.count
    case 0x06: cursor = min(characters.count, cursor + 1)
    case 0x08, 0x7F:
      if cursor > 0 {
        cursor -= 1
        characters.remove(at: cursor)
      }
    case 0x0B: characters.removeLast(characters.count - cursor)
    case 0x0E: move(1)
    case 0x10: move(-1)
    case 0x15:
      characters.removeFirst(cursor)
      cursor = 0
    case 0x17:
      var start = cursor
      while start > 0, characters[start - 1] == " " { start -= 1 }
      while start > 0, characters[start - 1] != " " { start -= 1 }
      characters.removeSubrange(start..<cursor)
      cursor = start
    case 0x09: insert(" ")
    default: return nil
    }
    return .edited
  }

  /// `ESC [ … letter`, `ESC [ … ~`, `ESC O letter`; anything else is passed over.
  private mutating func takeEscape() -> Event? {
    guard pending.count > 1 else { return nil }
    guard pending[1] == UInt8(ascii: "[") || pending[1] == UInt8(ascii: "O") else {
      pending = []
      return nil
    }
    guard pending.count > 2, let last = pending.last, (0x40...0x7E).contains(last) else {
      if pending.count > 16 { pending = [] }
      return nil
    }
    let code = String(decoding: pending.dropFirst(2), as: UTF8.self)
    pending = []
    switch code {
    case "A": move(-1)
    case "B": move(1)
    case "C": cursor = min(characters.count, cursor + 1)
    case "D": cursor = max(0, cursor - 1)
    case "H", "1~", "7~": cursor = 0
    case "F", "4~", "8~": cursor = characters.count
    case "3~": if cursor < characters.count { characters.remove(at: cursor) }
    case "1;5C", "5C":
      while cursor < characters.count, characters[cursor] == " " { cursor += 1 }
      while cursor < characters.count, characters[cursor] != " " { cursor += 1 }
    case "1;5D", "5D":
      while cursor > 0, characters[cursor - 1] == " " { cursor -= 1 }
      while cursor > 0, characters[cursor - 1] != " " { cursor -= 1 }
    default: return nil
    }
    return .edited
  }

  private mutating func finish() -> Event {
    let line = String(characters)
    if !line.isEmpty, history.last != line { history.append(line) }
    if history.count > Self.most { history.removeFirst() }
    place = history.count
    show([])
    return .line(line)
  }

  private mutating func show(_ line: [Character]) {
    characters = line
    cursor = line.count
  }

  /// Shows an older or a newer line.
  private mutating func move(_ step: Int) {
    let wanted = place + step
    guard (0...history.count).contains(wanted) else { return }
    if place == history.count { draft = characters }
    place = wanted
    show(wanted == history.count ? draft : Array(history[wanted]))
  }
}

/// How long a character is by its first byte.
enum StreamingWidth {
  static func count(of first: UInt8) -> Int {
    first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1
  }
}
