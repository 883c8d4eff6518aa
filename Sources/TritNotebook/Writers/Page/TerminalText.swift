internal import TritCore

/// What a program printed, as a terminal would show it in the end.
enum TerminalText {
  /// A carriage return begins its line anew, colours and other sequences of terminals are left out,
  /// and what is hidden otherwise is written out.
  static func settled(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 == 0x0d || $0 == 0x1b }) else {
      return VisibleText.prose(text)
    }
    var result: [UInt8] = []
    var lineStart = 0
    let bytes = Array(text.utf8)
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case 0x1b where index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "["):
        // ECMA-48: parameters, intermediates, one final byte.
        var end = index + 2
        while end < bytes.count, (0x20..<0x40).contains(bytes[end]) { end += 1 }
        if end < bytes.count, (0x40..<0x7f).contains(bytes[end]) {
          index = end + 1
          continue
        }
        result.append(0x1b)
      case 0x0d:
        var next = index + 1
        while next < bytes.count, bytes[next] == 0x0d { next += 1 }
        // Before a newline, or at the end, it changes nothing that is seen.
        if next < bytes.count, bytes[next] != .newline {
          result.removeSubrange(lineStart...)
        }
        index = next
        continue
      case .newline:
        result.append(.newline)
        lineStart = result.count
      default: result.append(bytes[index])
      }
      index += 1
    }
    return VisibleText.prose(String(decoding: result, as: UTF8.self))
  }
}
