import Synchronization
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Bytes between two pages that nobody may touch, for buffers that foreign code gets.
///
/// What lies between the bytes and the pages holds a pattern that `damage` looks at, so that a
/// write is found also where it stays within a page. A touch of a page ends the process; in a child
/// of the arena its handler (`GuardFaults`) says first whose page it was.
package final class GuardedMemory: @unchecked Sendable {
  /// Which end of the bytes lies at a page that must not be touched.
  package enum Place: CaseIterable, Sendable { case end, start }

  /// What lies here, for messages: `the outputs`.
  package let name: String
  /// The first byte.
  package let base: UnsafeMutableRawPointer
  /// Bytes that may be used.
  package let count: Int
  /// Zero bytes behind them that may be read.
  package let tail: Int
  private let mapping: UnsafeMutableRawPointer
  private let length: Int
  private let body: UnsafeMutableRawBufferPointer
  private var slots: [Int] = []
  private static let canary: UInt8 = 0xC7

  /// Maps `count` zero bytes that begin at a multiple of `alignment`, and `tail` more that may be
  /// read. Ends the process as any allocation does where there is no memory.
  package init(
    _ name: String, count: Int, alignment: Int = 64, tail: Int = 0, at place: Place = .end
  ) {
    let page = max(Int(sysconf(Int32(_SC_PAGESIZE))), 4096)
    let pages = (max(count, 1) + tail + alignment - 1 + page - 1) / page
    length = (pages + 2) * page
    let raw = mmap(nil, length, PROT_NONE, MAP_PRIVATE | Self.anonymous, -1, 0)
    guard let raw, raw != UnsafeMutableRawPointer(bitPattern: -1),
      mprotect(raw + page, pages * page, PROT_READ | PROT_WRITE) == 0
    else { MemoryLimit.refused(length) }
    mapping = raw
    body = UnsafeMutableRawBufferPointer(start: raw + page, count: pages * page)
    let first = raw + page
    switch place {
    case .start: base = first
    case .end:
      let last = pages * page - tail - count
      base = first + last / alignment * alignment
    }
    self.name = name
    self.count = count
    self.tail = tail
    for index in slack { body[index] = Self.canary }
    slots = [
      GuardFaults.add(raw, page, "in front of \(name)"),
      GuardFaults.add(first + pages * page, page, "behind \(name)"),
    ].compactMap(\.self)
  }

  deinit {
    slots.forEach(GuardFaults.remove)
    munmap(mapping, length)
  }

  #if canImport(Glibc)
    private static let anonymous = Int32(MAP_ANONYMOUS)
  #else
    private static let anonymous = Int32(MAP_ANON)
  #endif

  private var offset: Int { UnsafeMutableRawPointer(base) - (body.baseAddress ?? base) }

  /// Indices of the body that belong to nobody.
  private var slack: [Int] {
    Array(0..<offset) + Array((offset + count + tail)..<body.count)
  }

  /// Fills the bytes with `byte`.
  package func fill(_ byte: UInt8) { memset(base, Int32(byte), count) }

  /// What was written beside the bytes, in words; nil where nothing was.
  package func damage() -> String? {
    let front = (0..<offset).first { body[$0] != Self.canary }
    if let front { return "wrote \(offset - front) bytes in front of \(name)" }
    let end = offset + count
    for index in end..<body.count {
      let right: UInt8 = index < end + tail ? 0 : Self.canary
      if body[index] != right { return "wrote \(index - end + 1) bytes behind \(name)" }
    }
    return nil
  }
}

/// Says whose page was touched, before the process ends of it.
///
/// The handler makes only calls that POSIX allows in one: the text is written as it was prepared,
/// and the signal goes to whoever had it before, so that a backtrace still comes.
enum GuardFaults {
  private static let capacity = 512

  private struct Slot: ~Copyable {
    let start = Atomic<UInt>(0)
    let end = Atomic<UInt>(0)
    let text = Atomic<UInt>(0)
  }

  nonisolated(unsafe) private static let table: UnsafeMutablePointer<Slot> = {
    let table = UnsafeMutablePointer<Slot>.allocate(capacity: capacity)
    for index in 0..<capacity { (table + index).initialize(to: Slot()) }
    return table
  }()
  private static let free = Mutex<[Int]>(Array((0..<capacity).reversed()))

  static func add(_ start: UnsafeMutableRawPointer, _ count: Int, _ words: String) -> Int? {
    guard let index = free.withLock({ $0.popLast() }) else { return nil }
    let line = ArenaMessage(.fault, text: "read or wrote " + words).line
    table[index].text.store(UInt(bitPattern: strdup(line)), ordering: .relaxed)
    table[index].end.store(UInt(bitPattern: start) + UInt(count), ordering: .relaxed)
    table[index].start.store(UInt(bitPattern: start), ordering: .releasing)
    return index
  }

  static func remove(_ index: Int) {
    table[index].start.store(0, ordering: .releasing)
    Self.release(table[index].text.exchange(0, ordering: .relaxed))
    free.withLock { $0.append(index) }
  }

  private static func release(_ text: UInt) {
    #if canImport(Glibc)
      Glibc.free(UnsafeMutableRawPointer(bitPattern: text))
    #else
      Darwin.free(UnsafeMutableRawPointer(bitPattern: text))
    #endif
  }

  /// Starts to listen for SIGSEGV and SIGBUS and writes to `descriptor`: in a child of the arena
  /// alone.
  static func install(descriptor: Int32) {
    _ = table
    reportDescriptor.store(descriptor, ordering: .relaxed)
    var action = sigaction()
    sigemptyset(&action.sa_mask)
    action.sa_flags = SA_SIGINFO | Int32(SA_ONSTACK)
    #if canImport(Glibc)
      action.__sigaction_handler.sa_sigaction = onFault
    #else
      action.__sigaction_u.__sa_sigaction = onFault
    #endif
    sigaction(SIGSEGV, &action, &oldSegmentation)
    sigaction(SIGBUS, &action, &oldBus)
  }

  /// The text of the page at `address`. Safe in a handler.
  fileprivate static func text(at address: UInt) -> UnsafePointer<CChar>? {
    for index in 0..<capacity {
      let start = table[index].start.load(ordering: .acquiring)
      guard start != 0, address >= start, address < table[index].end.load(ordering: .relaxed)
      else { continue }
      return UnsafePointer(bitPattern: table[index].text.load(ordering: .relaxed))
    }
    return nil
  }

  fileprivate static func restore() {
    sigaction(SIGSEGV, &oldSegmentation, nil)
    sigaction(SIGBUS, &oldBus, nil)
  }
}

private let reportDescriptor = Atomic<Int32>(-1)
nonisolated(unsafe) private var oldSegmentation = sigaction()
nonisolated(unsafe) private var oldBus = sigaction()

private func onFault(
  _ number: Int32, _ info: UnsafeMutablePointer<siginfo_t>?, _ context: UnsafeMutableRawPointer?
) {
  #if canImport(Glibc)
    let address = UInt(bitPattern: info?.pointee._sifields._sigfault.si_addr)
  #else
    let address = UInt(bitPattern: info?.pointee.si_addr)
  #endif
  if let text = GuardFaults.text(at: address) {
    _ = write(reportDescriptor.load(ordering: .relaxed), text, strlen(text))
  }
  // The instruction faults again, and whoever listened before hears of it.
  GuardFaults.restore()
}
