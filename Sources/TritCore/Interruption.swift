import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

private let interruptCount = Atomic<Int>(0)
private let firstSignal = Atomic<Int32>(0)
private let checks = Atomic<Int>(0)
/// What a command that was asked for JSON says of a second request, by signal.
nonisolated(unsafe) private let endTexts = SignalTexts()

/// Ctrl-C as a polite request: long loops call `check()` and unwind by an error, so that what has
/// been measured is kept and nothing is left half written. A second request ends the process at
/// once.
///
/// The exit code is 128 and the number of the first signal, as a shell reports it: 130 Ctrl-C, 143
/// `kill`, 129 a terminal that went away, 131 Ctrl-\, 152 a limit of CPU time.
public enum Interruption {
  /// Starts to listen for SIGINT, SIGTERM, SIGQUIT, SIGXCPU (the soft limit of `ulimit -t`), and
  /// for SIGHUP (a terminal that goes away) unless the parent has it ignored, as `nohup` does. A
  /// file that grows beyond the limit of the shell becomes an error of its write. Called once by
  /// the command.
  public static func install() {
    var numbers = [SIGINT, SIGTERM, SIGQUIT, SIGXCPU]
    if !isIgnored(SIGHUP) { numbers.append(SIGHUP) }
    var set = sigset_t()
    sigemptyset(&set)
    for number in numbers {
      let error = LabError(.interrupted, "interrupted twice: ended at once")
      endTexts.set(ErrorDocument.line(error, exitCode: 128 + number), for: number)
      signal(number) { number in
        _ = firstSignal.compareExchange(expected: 0, desired: number, ordering: .relaxed)
        if interruptCount.add(1, ordering: .relaxed).newValue > 1 {
          endTexts.write(for: firstSignal.load(ordering: .relaxed))
          TemporaryFiles.removeAll()
          ProcessEnd.announce()
          _exit(Interruption.exitCode)
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

  /// 128 and the number of the signal that asked first; 130 where none did.
  public static var exitCode: Int32 {
    let number = firstSignal.load(ordering: .relaxed)
    return number == 0 ? LabError.Kind.interrupted.rawValue : 128 + number
  }

  /// Forgets that the user has asked to stop: what was asked to stop has stopped, and this process
  /// goes on.
  package static func reset() {
    interruptCount.store(0, ordering: .relaxed)
    firstSignal.store(0, ordering: .relaxed)
  }

  /// How often long loops have asked: it grows while there is progress.
  package static var checkCount: Int { checks.load(ordering: .relaxed) }

  /// Throws `interrupted` if the user has asked to stop.
  public static func check() throws {
    // Threads may lose each other's counts, which does not matter: it is not to stand still.
    checks.store(checks.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    if isRequested { throw LabError(.interrupted, "interrupted") }
  }
}
