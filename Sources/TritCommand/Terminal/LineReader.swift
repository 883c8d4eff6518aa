import Foundation
import TritLab

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads lines that a person types, or those of a pipe.
///
/// On a terminal a line can be edited (`LineEditor`); the terminal is put into raw mode for as long
/// as a line is typed, and back before anything else runs.
final class LineReader {
  /// What was read.
  enum Input: Equatable {
    case line(String)
    /// Ctrl-C in place of a line.
    case cancelled
    /// Nothing more comes.
    case end
  }

  private var editor = LineEditor()
  private var buffer: [UInt8] = []
  private var isOver = false
  /// Whether a person types.
  let isTerminal: Bool

  init() {
    isTerminal =
      isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
      && Terminal.environment("TERM") != "dumb"
  }

  /// The next line, without its end. `prompt` is shown to a person. Throws `badData` for a line of a
  /// pipe that is not UTF-8 or too long.
  func read(prompt: String) throws -> Input {
    try isTerminal ? typed(prompt) : piped()
  }

  /// Waits until there is something to read. A signal that asks to stop ends the wait, where a read
  /// would be begun again.
  private func wait() throws {
    var wanted = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    while poll(&wanted, 1, -1) < 0, errno == EINTR { try Interruption.check() }
    try Interruption.check()
  }

  // MARK: Pipes

  private func piped() throws -> Input {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      if let end = buffer.firstIndex(of: 0x0A) {
        defer { buffer.removeFirst(end + 1) }
        return .line(try text(buffer[..<end]))
      }
      if isOver {
        guard !buffer.isEmpty else { return .end }
        defer { buffer = [] }
        return .line(try text(buffer[...]))
      }
      try FileLimit.line.check(buffer.count, at: "standard input")
      try wait()
      let count = Foundation.read(STDIN_FILENO, &bytes, bytes.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { isOver = true } else { buffer += bytes[..<count] }
    }
  }

  private func text(_ bytes: ArraySlice<UInt8>) throws -> String {
    var bytes = bytes
    if bytes.last == 0x0D { bytes.removeLast() }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LabError(
        .badData, "a line is not UTF-8", at: "standard input", expected: "UTF-8 text",
        advice: "convert it, as with: iconv -t UTF-8")
    }
    return text
  }

  // MARK: Terminals

  private func typed(_ prompt: String) throws -> Input {
    var kept = termios()
    guard tcgetattr(STDIN_FILENO, &kept) == 0 else { return try piped() }
    var raw = kept
    cfmakeraw(&raw)
    // Output still turns a newline into the start of the next line.
    raw.c_oflag = kept.c_oflag
    guard tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0 else { return try piped() }
    defer { tcsetattr(STDIN_FILENO, TCSADRAIN, &kept) }
    draw(prompt)
    while true {
      var byte: UInt8 = 0
      try wait()
      let count = Foundation.read(STDIN_FILENO, &byte, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { return leave(.end) }
      switch editor.take(byte) {
      case nil: continue
      case .edited: draw(prompt)
      case .line(let text):
        draw(prompt, shown: text)
        return leave(.line(text))
      case .cancelled: return leave(.cancelled)
      case .end: return leave(.end)
      }
    }
  }

  private func leave(_ input: Input) -> Input {
    Terminal.noteRaw("\n")
    return input
  }

  /// Writes the line anew, cut to the part around the cursor where it is wider than the terminal.
  private func draw(_ prompt: String, shown: String? = nil) {
    let width = max(20, Terminal.width - prompt.count - 2)
    let characters = shown.map(Array.init) ?? editor.characters
    let cursor = shown == nil ? editor.cursor : characters.count
    let start = max(0, cursor - width)
    let part = String(characters[start..<min(characters.count, start + width)])
    let back = min(characters.count, start + width) - cursor
    let text = VisibleText.line(part)
    Terminal.sequence("\r\u{1B}[K")
    Terminal.noteRaw(prompt + text)
    if back > 0 { Terminal.sequence("\u{1B}[\(back)D") }
  }
}
