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
  /// Starts to listen for SIGINT and SIGTERM. Called once by the command.
  public static func install() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        if interruptCount.add(1, ordering: .relaxed).newValue > 1 { _exit(130) }
      }
    }
    // A parent's mask is inherited, and one that started us from a pool thread has them blocked.
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    sigaddset(&set, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  /// Whether the user has asked to stop.
  public static var isRequested: Bool { interruptCount.load(ordering: .relaxed) > 0 }

  /// Throws `interrupted` if the user has asked to stop.
  public static func check() throws {
    if isRequested { throw LabError(.interrupted, "interrupted") }
  }
}
