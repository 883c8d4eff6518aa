import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

private let interruptCount = Atomic<Int>(0)

/// Ctrl-C as a polite request: long loops call `check()` and unwind by an error, so that what has been
/// measured is kept and nothing is left half written. A second Ctrl-C ends the process at once.
public enum Interruption {
  /// Starts to listen for SIGINT and SIGTERM, and for SIGHUP (a terminal that goes away) unless the
  /// parent has it ignored, as `nohup` does. A file that grows beyond the limit of the shell becomes an
  /// error of its write. Called once by the command.
  public static func install() {
    var numbers = [SIGINT, SIGTERM]
    if !isIgnored(SIGHUP) { numbers.append(SIGHUP) }
    var set = sigset_t()
    sigemptyset(&set)
    for number in numbers {
      signal(number) { _ in
        if interruptCount.add(1, ordering: .relaxed).newValue > 1 {
          TemporaryFiles.removeAll()
          _exit(130)
        }
      }
      sigaddset(&set, number)
    }
    signal(SIGXFSZ, SIG_IGN)
    // A parent's mask is inherited, and one that started us from a pool thread has them blocked.
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    #if canImport(Glibc)
      let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
    #else
      let handler = unsafeBitCast(action.__sigaction_u.__sa_handler, to: Int.self)
    #endif
    return handler == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Whether the user has asked to stop.
  public static var isRequested: Bool { interruptCount.load(ordering: .relaxed) > 0 }

  /// Throws `interrupted` if the user has asked to stop.
  public static func check() throws {
    if isRequested { throw LabError(.interrupted, "interrupted") }
  }
}
