#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Time that never goes back, read in some 25 ns: the one clock of all measurements in hot code.
public enum MonotonicClock {
  /// Nanoseconds since some fixed moment.
  public static func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Seconds since the same moment.
  public static func seconds() -> Double { Double(nanoseconds()) * 1e-9 }
}
