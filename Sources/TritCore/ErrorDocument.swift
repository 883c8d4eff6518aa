import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What programs read after an error: the last line of standard error of a command that was asked
/// for JSON.
///
/// Most errors reach the command, which writes it. Some end the process where nobody catches them:
/// a mapped file that was cut short, memory that is refused, a second Ctrl-C, a trap. Their lines
/// are made beforehand, as a handler of signals may not.
package enum ErrorDocument {
  /// Makes the line of an error and the exit code.
  package typealias Writer = @Sendable (_ error: LabError, _ exitCode: Int32) -> String

  private static let writer = Mutex<Writer?>(nil)

  /// From now on lines are made by `writer`, also of crashes where `crashes` says so. Called once
  /// by the command, before it listens for signals.
  package static func install(crashes: Bool, _ writer: @escaping Writer) {
    Self.writer.withLock { $0 = writer }
    if crashes { CrashText.install() }
  }

  /// The line, with its end; empty where nobody asked for any.
  static func line(_ error: LabError, exitCode: Int32? = nil) -> String {
    let writer = writer.withLock { $0 }
    return writer.map { $0(error, exitCode ?? error.exitCode) + "\n" } ?? ""
  }
}

/// Texts by the number of a signal, made before it comes.
struct SignalTexts: ~Copyable {
  private let texts: UnsafeMutablePointer<UInt>
  private static let count = 65

  init() {
    texts = .allocate(capacity: Self.count)
    texts.initialize(repeating: 0, count: Self.count)
  }

  /// Keeps `text` for a signal; never freed.
  func set(_ text: String, for number: Int32) {
    guard (0..<Int32(Self.count)).contains(number), !text.isEmpty else { return }
    texts[Int(number)] = UInt(bitPattern: strdup(text))
  }

  /// Writes what there is for a signal on standard error. Safe in a handler.
  func write(for number: Int32) {
    guard (0..<Int32(Self.count)).contains(number),
      let text = UnsafePointer<CChar>(bitPattern: texts[Int(number)])
    else { return }
    #if canImport(Glibc)
      _ = Glibc.write(STDERR_FILENO, text, strlen(text))
    #else
      _ = Darwin.write(STDERR_FILENO, text, strlen(text))
    #endif
  }
}

/// The line of JSON of a process that a fault or a trap ends.
private enum CrashText {
  static let signals: [(number: Int32, name: String)] = [
    (SIGILL, "SIGILL"), (SIGTRAP, "SIGTRAP"), (SIGABRT, "SIGABRT"), (SIGFPE, "SIGFPE"),
    (SIGSEGV, "SIGSEGV"), (SIGBUS, "SIGBUS"),
  ]

  nonisolated(unsafe) static let texts = SignalTexts()
  static func install() {
    for (number, name) in signals {
      let error = LabError(
        .internalError, "the program crashed (\(name))",
        advice: "please report it, with the command line and what stands above")
      texts.set(ErrorDocument.line(error, exitCode: 128 + number), for: number)
      signal(number, onCrash)
    }
  }
}

/// Writes the line, and leaves the signal to the system: Swift's backtrace would come behind the
/// line.
private func onCrash(_ number: Int32) {
  CrashText.texts.write(for: number)
  signal(number, SIG_DFL)
  // Held back until this function returns; a fault that came by itself comes again as well.
  raise(number)
}
