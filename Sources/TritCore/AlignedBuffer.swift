#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Owned, zero-initialised memory for `count` trivial elements, aligned to 64 bytes (a cache line
/// and a zmm register), followed by at least 64 readable zero bytes so that a vector load may run
/// past the end.
///
/// Thread safety: a buffer is a bag of bytes. Whoever shares one writes disjoint parts or does not
/// write.
///
/// Lifetime: `base`, `buffer` and views are bare pointers. Bind the buffer to a name before taking
/// one: in `makeBuffer().buffer` the buffer is gone before the pointer is used.
public final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
  /// Elements that may be used.
  public let count: Int
  /// First element; 64-byte aligned.
  public let base: UnsafeMutablePointer<Element>

  /// Where the memory comes from, if it is large.
  private let block: LargeMemory.Block?
  /// What holds the memory, if it is not this buffer's.
  private let owner: (any AnyObject & Sendable)?

  /// Alignment in bytes.
  public static var alignment: Int { 64 }

  /// Allocates `count` zero elements. Large buffers take memory as they are written, not before; in
  /// huge pages and beside others that are, if `isStreamed`: for what is written whole and then
  /// read front to back again and again, as weights are. Whoever makes one of a size that a file or
  /// an option decides asks `MemoryLimit` first.
  public init(count: Int, isStreamed: Bool = false) {
    precondition(count >= 0, "a buffer cannot have \(count) elements")
    self.count = count
    owner = nil
    let bytes = Self.bytes(count)
    block = isStreamed ? LargeMemory.takeStreamed(bytes) : LargeMemory.takeIfLarge(bytes)
    if let block {
      base = block.base.bindMemory(to: Element.self, capacity: count)
      return
    }
    let raw = Self.allocate(bytes)
    raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    base = raw.bindMemory(to: Element.self, capacity: count)
  }

  /// Room for `count` elements that the caller is about to write, all of them: what they hold
  /// before is undefined.
  package init(overwritten count: Int) {
    precondition(count >= 0, "a buffer cannot have \(count) elements")
    self.count = count
    owner = nil
    let bytes = Self.bytes(count)
    let used = bytes - Self.alignment
    block = bytes < LargeMemory.threshold ? nil : LargeMemory.take(bytes, zeroed: false)
    let raw = block?.base ?? Self.allocate(bytes)
    (raw + used).initializeMemory(as: UInt8.self, repeating: 0, count: Self.alignment)
    base = raw.bindMemory(to: Element.self, capacity: count)
  }

  /// Bytes of `count` elements and the room behind them.
  private static func bytes(_ count: Int) -> Int {
    let (product, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    guard !overflow, product <= Int.max - alignment else { MemoryLimit.refused(Int.max) }
    return product + alignment
  }

  /// Memory from the heap, or the end that a refusal has.
  private static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, alignment, bytes) == 0, let memory else {
      MemoryLimit.refused(bytes)
    }
    return memory
  }

  /// Copies `elements` into a new buffer.
  public convenience init(_ elements: some Collection<Element>) {
    self.init(count: elements.count)
    var next = base
    for element in elements {
      next.pointee = element
      next += 1
    }
  }

  /// `count` elements of memory that `owner` holds and that nobody writes any more: bytes of a
  /// mapped file. They begin where they lie, which may be less than 64-byte aligned, and end where
  /// `owner` says.
  package init(viewing bytes: UnsafeRawPointer, count: Int, owner: any AnyObject & Sendable) {
    precondition(count >= 0, "a buffer cannot have \(count) elements")
    self.count = count
    self.owner = owner
    block = nil
    base = UnsafeMutableRawPointer(mutating: bytes).bindMemory(to: Element.self, capacity: count)
  }

  deinit {
    if owner != nil { return }
    if let block {
      LargeMemory.give(block)
    } else {
      free(base)
    }
  }

  /// Element `index`, bounds-checked in debug builds only.
  @inlinable public subscript(index: Int) -> Element {
    get {
      assert(index >= 0 && index < count)
      return base[index]
    }
    set {
      assert(index >= 0 && index < count)
      base[index] = newValue
    }
  }

  /// The elements for reading; valid while the buffer lives.
  public var buffer: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: base, count: count) }

  /// The elements for writing; valid while the buffer lives.
  public var mutableBuffer: UnsafeMutableBufferPointer<Element> {
    UnsafeMutableBufferPointer(start: base, count: count)
  }

  /// The bytes; valid while the buffer lives.
  public var rawBuffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(buffer) }
}
