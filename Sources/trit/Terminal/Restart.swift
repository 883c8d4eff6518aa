import Foundation
import TritLab

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Starts the command once more where a library reads a variable only while it is loaded.
enum Restart {
  /// Replaces this process by itself with `OPENBLAS_CORETYPE` set, if OpenBLAS picked a core that is
  /// too old for the CPU and cannot change it in place. Comes back where all is well, and also where
  /// the restart fails: the reference is then slow, not wrong. It happens at most once, since the
  /// variable is set afterwards.
  static func forOpenBLASIfNeeded() {
    guard let variables = OpenBLASRuntime.environmentForRestart(),
      let program = Bundle.main.executablePath
    else { return }
    for (name, value) in variables { setenv(name, value, 1) }
    var words: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
    words.append(nil)
    execv(program, words)
    for word in words { free(word) }
    for name in variables.keys { unsetenv(name) }
  }
}
