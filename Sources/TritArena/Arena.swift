public import TritKernels
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Honest races between kernels: checks first, then times under conditions in which a kernel cannot
/// but multiply.
///
/// Everything foreign runs in a child process (`childMain`); the parent (`run`) has the clock that
/// nobody can reach, and turns a crash or a hang into a verdict. What a contest can tell and what
/// not: native code shares its process with the referee and can, with effort, lie to it. The arena
/// finds what was seen in arenas elsewhere (`ArenaCheck`), not an attack on itself: results of
/// strangers are worth what their source, read by somebody, is worth.
public enum Arena {
  /// The word that makes a program a child of the arena, in front of all others.
  public static let childWord = "arena-child"

  /// Runs a child of the arena where `arguments` (the words after the program's name) ask for one,
  /// and gives the exit code; nil where they do not. The first call of a program, before it takes
  /// signals.
  ///
  /// `resolve` makes a kernel of a name or path: the contestant, and each baseline. The child
  /// speaks with its parent through its standard streams; what kernels print goes to standard
  /// error.
  public static func childMain(
    arguments: [String], resolve: (String) throws -> any LinearKernel
  ) -> Int32? {
    guard arguments.first == childWord else { return nil }
    HardwareClock.endWithParent()
    let descriptor = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 64)
    guard descriptor >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else {
      return LabError.Kind.failure.rawValue
    }
    GuardFaults.install(descriptor: descriptor)
    let send: (ArenaMessage) -> Void = { message in
      Self.write(message.line, to: descriptor)
    }
    do {
      let order = try ArenaJSON.value(ArenaOrder.self, readLine() ?? "")
      let request = order.request
      try request.validate()
      let rivals = try request.baselines.map { name in
        ArenaContest.Entrant(name: name, kernel: try resolve(name))
      }
      send(ArenaMessage(.phase, text: "baselines"))
      let ground = try ArenaContest.Ground(request, rivals: rivals)
      send(ArenaMessage(.phase, text: "loading"))
      let contestant = try resolve(request.contestant)
      send(ArenaMessage(.ready))
      let seed = try ArenaJSON.value(ArenaSeed.self, readLine() ?? "")
      ArenaContest(request, ground, contestant: contestant, seed: seed.seed, emit: send).run()
      return 0
    } catch {
      var message = ArenaMessage(.refusal, text: "\(error)")
      message.refused = (error as? LabError).map(ArenaMessage.Refusal.init)
      send(message)
      return LabError.Kind.failure.rawValue
    }
  }

  private static func write(_ text: String, to descriptor: Int32) {
    // A parent that is gone wants no more.
    if Descriptor.write(text, to: descriptor) != 0 { _exit(LabError.Kind.failure.rawValue) }
  }
}
