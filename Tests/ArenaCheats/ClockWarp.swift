import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A clock of the C library that a kernel slows down.
enum ClockWarp {
  /// Nanoseconds of the moment from which on it goes at half its speed; 0 while it is honest.
  static let start = Atomic<Int64>(0)

  static func begin() {
    guard start.load(ordering: .relaxed) == 0 else { return }
    var now = timespec()
    if real(CLOCK_MONOTONIC, &now) == 0 {
      start.store(Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec), ordering: .relaxed)
    }
  }

  typealias Function = @convention(c) (clockid_t, UnsafeMutablePointer<timespec>) -> Int32

  /// The library's own function: the next of that name.
  static let real: Function = {
    let next = UnsafeMutableRawPointer(bitPattern: -1)
    guard let symbol = dlsym(next, "clock_gettime") else { abort() }
    return unsafeBitCast(symbol, to: Function.self)
  }()
}

#if os(Linux)
  /// In place of the C library's, for everything in this program that asks it by name.
  @_cdecl("clock_gettime")
  public func warpedClock(_ clock: clockid_t, _ time: UnsafeMutablePointer<timespec>) -> Int32 {
    let status = ClockWarp.real(clock, time)
    let start = ClockWarp.start.load(ordering: .relaxed)
    guard start != 0, clock == CLOCK_MONOTONIC, status == 0 else { return status }
    let now = Int64(time.pointee.tv_sec) * 1_000_000_000 + Int64(time.pointee.tv_nsec)
    let told = start + (now - start) / 2
    time.pointee.tv_sec = time_t(told / 1_000_000_000)
    time.pointee.tv_nsec = Int(told % 1_000_000_000)
    return status
  }
#endif
