import Foundation

/// What a worker is doing, in a file that outlives it: figures, and the input that is being run.
/// Both sides map it; a worker that dies has said before which input it was.
final class StatusFile {
  enum Field: Int, CaseIterable {
    case inputs, accepted, refused, forwardPasses, faults, edges, edgesCovered, answers, corpus
    /// Whether an input is being run now, and its bytes.
    case isRunning, length
    /// Processor time of the worker when it began, in nanoseconds.
    case began
    /// Why a worker ended itself: 1 time, 2 memory, 3 wall clock.
    case reason
    /// The longest that one input took, in nanoseconds.
    case longest
  }

  static let room = 4 << 20
  private static let head = 4096
  let path: String
  private let base: UnsafeMutableRawPointer

  init(_ path: String, isNew: Bool) throws {
    self.path = path
    if isNew { unlink(path) }
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0, ftruncate(descriptor, off_t(Self.room)) == 0 else {
      throw ScratchError(path: path)
    }
    defer { close(descriptor) }
    guard let memory = mmap(nil, Self.room, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      memory != MAP_FAILED
    else { throw ScratchError(path: path) }
    base = memory
  }

  deinit { munmap(base, Self.room) }

  subscript(_ field: Field) -> Int {
    get { base.load(fromByteOffset: 8 * field.rawValue, as: Int.self) }
    set { base.storeBytes(of: newValue, toByteOffset: 8 * field.rawValue, as: Int.self) }
  }

  /// Says which input runs from now on.
  func begin(_ input: [UInt8], at nanoseconds: Int) {
    let count = min(input.count, Self.room - Self.head)
    input.withUnsafeBytes { bytes in
      if let source = bytes.baseAddress { memcpy(base + Self.head, source, count) }
    }
    self[.length] = count
    self[.began] = nanoseconds
    self[.isRunning] = 1
  }

  /// The input that ran last.
  var input: [UInt8] {
    Array(
      UnsafeRawBufferPointer(
        start: base + Self.head, count: min(self[.length], Self.room - Self.head)))
  }
}
