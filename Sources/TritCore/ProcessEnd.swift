import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

private let watcher = Atomic<Int32>(-1)

/// How a command ends.
public enum ProcessEnd {
  /// Ends the process with `code`: what is buffered is written, outputs that are under way are
  /// removed. No handler that a library registered for the end runs: OpenBLAS's waits for threads
  /// that it could not start where memory is short.
  public static func exit(_ code: Int32) -> Never {
    fflush(nil)
    TemporaryFiles.removeAll()
    announce()
    _exit(code)
  }

  /// From now on the program says on `descriptor` that it ends by its own will, with the line `E`:
  /// whoever watches it tells such an end from one that foreign code brought about.
  package static func announce(on descriptor: Int32) {
    watcher.store(descriptor, ordering: .relaxed)
  }

  /// Says it. Safe in a handler.
  static func announce() {
    let descriptor = watcher.load(ordering: .relaxed)
    guard descriptor >= 0 else { return }
    withUnsafeBytes(of: (UInt8(ascii: "E"), UInt8(ascii: "\n"))) {
      _ = write(descriptor, $0.baseAddress, $0.count)
    }
  }
}
