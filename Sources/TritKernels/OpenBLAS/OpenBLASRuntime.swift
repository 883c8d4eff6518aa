internal import COpenBLAS
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What OpenBLAS is loaded, which of its cores runs, and how it is told to use a good one.
///
/// A distribution's OpenBLAS holds kernels for many CPUs and picks one when it is loaded, before `main`. A
/// CPU that it does not know gets its AVX2 core ("Haswell", "Zen") although it may have AVX-512, at about
/// half the speed. The environment variable `OPENBLAS_CORETYPE` overrides
/// the choice, but only when it is set before the library is loaded, too early for a program that links
/// it. So the choice is made again here: the library exports the two functions with which its own
/// constructor and destructor set the table of kernels, and calling them after the variable is set, before
/// any other call, has the same effect. Where a build of OpenBLAS lacks them,
/// `environmentForRestart()` says what a command should set before it starts itself once more.
public enum OpenBLASRuntime {
  /// Chooses the core and turns OpenBLAS's own threads off, once. Everything that calls OpenBLAS touches
  /// this first; later calls cost nothing.
  public static func start() { _ = state }

  /// The name of the core that runs: `SkylakeX`, `Haswell`, `ARMV8`…
  public static var core: String {
    start()
    return openblas_get_corename().map { String(cString: $0) } ?? "unknown"
  }

  /// Version and build options as the library reports them.
  public static var configuration: String {
    start()
    return openblas_get_config().map { String(cString: $0) } ?? "unknown"
  }

  /// The version, `0.3.21`.
  public static var version: String {
    let words = configuration.split(separator: " ")
    guard let at = words.firstIndex(of: "OpenBLAS"), at + 1 < words.count else { return "unknown" }
    return String(words[at + 1])
  }

  /// Threads inside OpenBLAS: always 1, since the lab's own workers call it with disjoint rows.
  public static var threads: Int {
    start()
    return Int(openblas_get_num_threads())
  }

  /// The core that the library had picked by itself when it was loaded.
  public static var coreAtLoad: String { state.coreAtLoad }

  /// One line for records: `OpenBLAS 0.3.21, core SkylakeX (Haswell at load), 1 thread per call`; a core
  /// that the user forced is kept, and shown as such.
  public static var description: String {
    let change = coreAtLoad == core ? "" : " (\(coreAtLoad) at load)"
    let choice = state.chosenByUser.map { " (OPENBLAS_CORETYPE=\($0))" } ?? ""
    return "OpenBLAS \(version), core \(core)\(change)\(choice), \(threads) thread per call"
  }

  /// Variables that a command should add to its environment before it starts itself once more, because
  /// the core that runs is too old for the CPU and could not be changed in place; nil where all is well
  /// or the user has chosen a core.
  public static func environmentForRestart() -> [String: String]? {
    state.wantsRestart ? ["OPENBLAS_CORETYPE": wantedCore] : nil
  }

  private static let wantedCore = "SkylakeX"

  private static let state: (coreAtLoad: String, chosenByUser: String?, wantsRestart: Bool) = {
    let chosenByUser = getenv("OPENBLAS_CORETYPE").map { String(cString: $0) }
    let before = openblas_get_corename().map { String(cString: $0) } ?? "unknown"
    var wantsRestart = false
    let isOldChoice = ["Haswell", "Zen", "Excavator", "SandyBridge", "Prescott"].contains(before)
    if CPUFeatures.here.contains(.avx512), isOldChoice, chosenByUser == nil {
      setenv("OPENBLAS_CORETYPE", wantedCore, 1)
      wantsRestart = !chooseAgain()
      if wantsRestart { unsetenv("OPENBLAS_CORETYPE") }
    }
    openblas_set_num_threads(1)
    return (before, chosenByUser, wantsRestart)
  }()

  /// Makes the library choose its core again from the environment. False where it exports no way.
  private static func chooseAgain() -> Bool {
    typealias Action = @convention(c) () -> Void
    guard let library = dlopen(nil, RTLD_NOW), let forget = dlsym(library, "gotoblas_dynamic_quit"),
      let choose = dlsym(library, "gotoblas_dynamic_init")
    else { return false }
    unsafeBitCast(forget, to: Action.self)()
    unsafeBitCast(choose, to: Action.self)()
    return openblas_get_corename().map { String(cString: $0) } == wantedCore
  }
}
