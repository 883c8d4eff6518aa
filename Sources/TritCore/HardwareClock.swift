internal import CTritKernels

/// Clocks that no library in the process can have replaced, for whoever has to distrust what runs
/// beside him. `MonotonicClock` is the one for all other measurements.
package enum HardwareClock {
  /// Nanoseconds since some fixed moment, by a system call (some 100 ns).
  package static func nanoseconds() -> UInt64 { tk_clock_raw() }
  /// Ticks of the CPU's own counter; 0 where it has none that a program may read.
  package static func ticks() -> UInt64 { tk_clock_ticks() }
  /// Nanoseconds of CPU time that the process has used, with all threads that ever ran in it.
  package static func processNanoseconds() -> UInt64 { tk_clock_process() }
  /// Nanoseconds of CPU time of a living thread of this process; 0 where the system does not tell.
  package static func threadNanoseconds(_ thread: Int64) -> UInt64 { tk_clock_thread(thread) }
  /// The system's number of the calling thread; 0 where it has none.
  package static var thread: Int64 { tk_thread_id() }
  /// Asks that this process end when its parent does; false where the system cannot.
  @discardableResult package static func endWithParent() -> Bool { tk_end_with_parent() != 0 }
}
