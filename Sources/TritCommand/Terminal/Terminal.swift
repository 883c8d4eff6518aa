import Foundation
import TritLab

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The two streams of the command: the product on standard output, progress and complaints on
/// standard error. Text leaves at once, so that a reader of a pipe sees a story as it is told.
///
/// This is the border: names, tokens and messages may quote what a file holds, so what is hidden in
/// them is written out (`VisibleText`) wherever the stream goes, since logs are looked at later.
/// The text of a model is a product of its own (`product`).
enum Terminal {
  /// How a process that lost its reader ends: 128 + SIGPIPE, as a shell reports it.
  static let brokenPipe: Int32 = 141

  /// Writes a piece of the product. A reader that has gone away (`trit list | head -1`) ends the
  /// process without a word.
  static func out(_ text: String) throws { try write(Style.shown(text)) }

  /// Writes text that is the product itself, what a model wrote or tokens stand for: byte for byte
  /// into a file or pipe; on a terminal with what would drive it written out.
  static func product(_ text: String) throws { try write(isShown ? VisibleText.prose(text) : text) }

  /// Whether standard output is a terminal.
  private static let isShown = isatty(STDOUT_FILENO) == 1

  private static func write(_ text: String) throws {
    guard send(text, to: STDOUT_FILENO) else {
      if errno == EPIPE { ProcessEnd.exit(brokenPipe) }
      throw OutputError(reason: String(cString: strerror(errno)))
    }
  }

  /// Writes a line of the product.
  static func line(_ text: String = "") throws { try out(text + "\n") }

  /// Writes a JSON document of the product, for people's eyes too: indented.
  static func json(_ document: JSONValue) throws {
    try line(JSONWriter.text(document, pretty: true))
  }

  /// Writes a line for the person who watches. Nothing depends on it, so failures are ignored.
  static func note(_ text: String) { noteRaw(text + "\n") }

  /// Writes text for the person who watches, without a line end.
  static func noteRaw(_ text: String) { _ = send(Style.shown(text), to: STDERR_FILENO) }

  /// Writes a control sequence to a terminal on standard error; nothing elsewhere.
  static func sequence(_ text: String) {
    guard isInteractive else { return }
    _ = send(text, to: STDERR_FILENO)
  }

  /// Whether standard error is a terminal on which a line can be overwritten.
  static let isInteractive = isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb"

  /// Whether standard output is a terminal.
  static let isOutputTerminal = isatty(STDOUT_FILENO) == 1

  /// Overwrites the current line of a terminal; nothing elsewhere.
  static func status(_ text: String) {
    guard isInteractive else { return }
    // A line that wraps could not be overwritten.
    let line = TextLayout.cut(VisibleText.line(text), to: columns(of: STDERR_FILENO) - 1)
    _ = send("\r\u{1B}[K" + line, to: STDERR_FILENO)
  }

  /// Columns of standard output: `COLUMNS`, the terminal's width, else 80; never under 40.
  static var width: Int { columns(of: STDOUT_FILENO) }

  /// Columns to wrap prose at: as `width`, but at most 120 of a terminal, since longer lines read
  /// badly.
  static var columns: Int {
    environment("COLUMNS") == nil ? min(width, 120) : width
  }

  private static func columns(of descriptor: Int32) -> Int {
    if let text = environment("COLUMNS"), let count = Int(text), count >= 40 { return count }
    var size = winsize()
    if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 40 {
      return Int(size.ws_col)
    }
    return 80
  }

  /// The value of an environment variable that is set and not empty.
  static func environment(_ name: String) -> String? {
    guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else { return nil }
    return value
  }

  private static func send(_ text: String, to descriptor: Int32) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        #if canImport(Glibc)
          let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
        #else
          let written = Darwin.write(descriptor, rest.baseAddress, rest.count)
        #endif
        if written < 0 {
          if errno == EINTR { continue }
          // A pipe that somebody made non-blocking: wait until it takes more.
          if errno == EAGAIN {
            var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = poll(&wanted, 1, 1000)
            continue
          }
          return false
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      }
      return true
    }
  }
}

/// Standard output could not be written, for a reason other than a reader that left.
struct OutputError: Error {
  /// The system's words.
  let reason: String
}

/// Whether and how text is coloured.
///
/// `--color` wins; then a non-empty `NO_COLOR` turns colour off and a non-empty `FORCE_COLOR` or
/// `CLICOLOR_FORCE` on; else a terminal that is not `TERM=dumb` has colour.
struct Style: Sendable {
  /// Whether escape sequences are written.
  let isColored: Bool

  /// Decides for a stream.
  init(when: String?, descriptor: Int32) {
    switch when {
    case "always": isColored = true
    case "never": isColored = false
    default:
      if Terminal.environment("NO_COLOR") != nil {
        isColored = false
      } else if Terminal.environment("FORCE_COLOR") != nil
        || Terminal.environment("CLICOLOR_FORCE") != nil
      {
        isColored = true
      } else {
        isColored = isatty(descriptor) == 1 && Terminal.environment("TERM") != "dumb"
      }
    }
  }

  /// The style of the product.
  static func out(_ arguments: ParsedArguments) throws -> Style {
    Style(when: try arguments.choice(.color), descriptor: STDOUT_FILENO)
  }

  /// Heavier letters.
  func bold(_ text: String) -> String { wrap(text, "1") }
  /// For what went wrong.
  func red(_ text: String) -> String { wrap(text, "1;31") }
  /// For what matters less.
  func faint(_ text: String) -> String { wrap(text, "2") }

  private func wrap(_ text: String, _ code: String) -> String {
    isColored ? "\(Self.seal)[\(code)m\(text)\(Self.seal)[0m" : text
  }

  /// What stands for ESC in text that is on its way out: characters that no file can know, so that
  /// only sequences made here become such. They are noncharacters (Unicode 23.7), made up for each
  /// process.
  private static let seal = String(
    String.UnicodeScalarView(
      (0..<8).map { _ in Unicode.Scalar(UInt32.random(in: 0xFDD0...0xFDEF)) ?? "?" }))

  /// Text as it goes to a stream: colours as sequences, everything else visible, over its lines.
  static func shown(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard scalars.contains(where: { $0.value == seal.unicodeScalars.first?.value }) else {
      return VisibleText.lines(text)
    }
    return scalars.split(separator: seal.unicodeScalars, omittingEmptySubsequences: false)
      .map { VisibleText.lines(String($0)) }.joined(separator: "\u{1B}")
  }
}
