import Foundation
import Synchronization
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

private let interrupts = Atomic<Int>(0)
private let ends = Atomic<Int>(0)

/// What a process that is a kernel makes of signals: Ctrl-C interrupts the cell, the others end the
/// kernel. Also, that the kernel ends with the program that started it.
public final class KernelSignals: @unchecked Sendable {
  private let kernel: JupyterKernel
  private let parent: pid_t?
  private let isDone = Atomic<Bool>(false)

  /// Listens for `kernel` from now on. With `parent`, the kernel ends where this process gets
  /// another parent: Jupyter was killed, and nobody can reach the kernel any more.
  public init(_ kernel: JupyterKernel, parent: Int32?) {
    self.kernel = kernel
    self.parent = parent
    signal(SIGINT) { _ in interrupts.add(1, ordering: .relaxed) }
    for number in [SIGTERM, SIGHUP, SIGQUIT] {
      signal(number) { _ in ends.add(1, ordering: .relaxed) }
    }
    let thread = Thread { [self] in watch() }
    thread.start()
  }

  /// Stops to look.
  public func end() { isDone.store(true, ordering: .relaxed) }

  /// A handler may do next to nothing, so that a thread looks at what it counted.
  private func watch() {
    var told = interrupts.load(ordering: .relaxed)
    while !isDone.load(ordering: .relaxed) {
      usleep(100_000)
      let count = interrupts.load(ordering: .relaxed)
      if count != told {
        told = count
        kernel.interrupt()
      }
      let isOrphan = parent.map { getppid() != $0 } ?? false
      if ends.load(ordering: .relaxed) > 0 || isOrphan {
        kernel.stop()
        return
      }
    }
  }
}
