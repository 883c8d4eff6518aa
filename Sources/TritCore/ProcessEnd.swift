#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a command ends.
public enum ProcessEnd {
  /// Ends the process with `code`: what is buffered is written, outputs that are under way are removed. No
  /// handler that a library registered for the end runs: OpenBLAS's waits for threads that it could not start
  /// where memory is short.
  public static func exit(_ code: Int32) -> Never {
    fflush(nil)
    TemporaryFiles.removeAll()
    _exit(code)
  }
}
