import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Memory for large buffers, straight from the system: zeroed without being touched, so that what
/// is never used (the end of a KV cache) never becomes resident, and given back whole.
///
/// Loading a model makes and drops hundreds of buffers of a few megabytes. Fresh pages cost more
/// than filling them, and two threads that map and unmap wait for each other, so a few dropped
/// blocks are kept for the next request, up to `keptBytes` in all, until `drop()`.
package enum LargeMemory {
  /// Requests from here on are large.
  static let threshold = 1 << 20
  /// The most that is kept.
  package static let keptBytes = 64 << 20

  /// A run of whole pages.
  struct Block: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let bytes: Int
    /// Whether it was asked for in huge pages: such a block goes back at once.
    var isHuge = false
    /// Whether it lies in a chunk with others (`WeightArena`).
    var isShared = false
  }

  private struct Kept: @unchecked Sendable {
    var blocks: [Block] = []
    var bytes = 0
  }
  private static let kept = Mutex(Kept())

  /// At least `bytes` bytes at the start of a page, zero unless nobody minds; nil where the system
  /// has no more.
  static func take(_ bytes: Int, zeroed: Bool = true) -> Block? {
    let (padded, overflow) = bytes.addingReportingOverflow(page - 1)
    guard !overflow else { return nil }
    let size = padded / page * page
    // A block much too large would stay resident beyond what was asked for.
    let reused = kept.withLock { kept -> Block? in
      let fitting = kept.blocks.indices.filter {
        kept.blocks[$0].bytes >= size && kept.blocks[$0].bytes <= size + size / 8
      }
      guard let index = fitting.min(by: { kept.blocks[$0].bytes < kept.blocks[$1].bytes }) else {
        return nil
      }
      let block = kept.blocks.remove(at: index)
      kept.bytes -= block.bytes
      return block
    }
    if let reused {
      if zeroed { memset(reused.base, 0, bytes) }
      return reused
    }
    let flags = MAP_PRIVATE | MAP_ANON
    guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0), base != MAP_FAILED
    else { return nil }
    return Block(base: base, bytes: size)
  }

  /// The same for `bytes` from `threshold` on, else nil.
  static func takeIfLarge(_ bytes: Int) -> Block? { bytes < threshold ? nil : take(bytes) }

  /// Zeroed memory in huge pages, for what is read front to back again and again; nil for a little,
  /// or where the system has no more.
  static func takeStreamed(_ bytes: Int) -> Block? {
    #if os(Linux)
      if bytes < WeightArena.smallest { return nil }
      if bytes <= WeightArena.largest, let block = WeightArena.take(bytes) { return block }
    #endif
    return bytes < threshold ? nil : takeHuge(bytes)
  }

  /// The same as `take` in pages of 2 MiB where the system has them (Linux, unless they are turned
  /// off): what is read front to back for every token then waits for no page walk, some 5 % of the
  /// time on a virtual machine. The block must be used as a whole, since each page becomes resident
  /// whole.
  static func takeHuge(_ bytes: Int) -> Block? {
    #if os(Linux)
      guard bytes >= hugePage, bytes < Int.max - 2 * hugePage else { return take(bytes) }
      let size = (bytes + page - 1) / page * page
      let flags = MAP_PRIVATE | MAP_ANON
      guard let start = mmap(nil, size + hugePage, PROT_READ | PROT_WRITE, flags, -1, 0),
        start != MAP_FAILED
      else { return take(bytes) }
      // Only the aligned part of a mapping can have huge pages: begin at one, and give back what
      // lies before and behind.
      let offset = (hugePage - Int(bitPattern: start) % hugePage) % hugePage
      if offset > 0 { munmap(start, offset) }
      if offset < hugePage { munmap(start + offset + size, hugePage - offset) }
      // Refused where the kernel has no huge pages; the memory is as good without.
      _ = madvise(start + offset, size, 14)  // MADV_HUGEPAGE, a macro that Swift does not import
      return Block(base: start + offset, bytes: size, isHuge: true)
    #else
      return take(bytes)
    #endif
  }

  static let hugePage = 2 << 20

  /// Whether the system gives huge pages to those who ask.
  static let hasHugePages: Bool = {
    #if os(Linux)
      guard let file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re") else {
        return false
      }
      defer { fclose(file) }
      var line = [CChar](repeating: 0, count: 128)
      guard fgets(&line, Int32(line.count), file) != nil else { return false }
      return strstr(line, "[never]") == nil
    #else
      return false
    #endif
  }()

  /// Takes a block back.
  static func give(_ block: Block) {
    if block.isShared { return WeightArena.give(block) }
    let isKept = kept.withLock { kept in
      guard !block.isHuge, kept.bytes + block.bytes <= keptBytes else { return false }
      kept.blocks.append(block)
      kept.bytes += block.bytes
      return true
    }
    if !isKept { munmap(block.base, block.bytes) }
  }

  /// Gives all kept blocks back to the system: when a model is loaded.
  package static func drop() {
    let blocks = kept.withLock { kept in
      defer { kept = Kept() }
      return kept.blocks
    }
    for block in blocks { munmap(block.base, block.bytes) }
  }

  private static let page = max(Int(sysconf(Int32(_SC_PAGESIZE))), 4096)
}
