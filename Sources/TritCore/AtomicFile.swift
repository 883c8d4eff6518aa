#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Writes files whole or not at all: into a temporary neighbour, synced, then renamed over the target.
public final class AtomicFile {
  /// The target.
  public let path: String
  private let temporary: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private let bufferSize = 1 << 20

  /// Opens a temporary file beside `path`. Nothing is visible at `path` before `commit`.
  public init(_ path: String) throws {
    self.path = path
    var template = Array((path + ".partial-XXXXXX").utf8CString)
    descriptor = mkstemp(&template)
    temporary = String(
      decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard descriptor >= 0 else { throw Self.failed("create", path) }
    let mask = umask(0)
    umask(mask)
    fchmod(descriptor, 0o666 & ~mask)
  }

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      unlink(temporary)
    }
  }

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    if bytes.count >= bufferSize {
      try flush()
      try send(bytes)
    } else {
      buffer.append(contentsOf: bytes)
      if buffer.count >= bufferSize { try flush() }
    }
  }

  /// Appends bytes.
  public func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

  /// Appends text.
  public func write(_ text: String) throws { try write(Array(text.utf8)) }

  /// Flushes and syncs, and says where the bytes are until `commit`, for who wants to read them back before.
  public func stage() throws -> String {
    try flush()
    guard fsync(descriptor) == 0 else { throw Self.failed("write", path) }
    return temporary
  }

  /// Flushes, syncs and moves the file to its place.
  public func commit() throws {
    _ = try stage()
    close(descriptor)
    descriptor = -1
    guard rename(temporary, path) == 0 else {
      let error = Self.failed("rename", path)
      unlink(temporary)
      throw error
    }
  }

  /// Writes `text` to `path`, whole or not at all.
  public static func write(_ text: String, to path: String) throws {
    let file = try AtomicFile(path)
    try file.write(text)
    try file.commit()
  }

  /// Writes `bytes` to `path`, whole or not at all.
  public static func write(_ bytes: [UInt8], to path: String) throws {
    let file = try AtomicFile(path)
    try file.write(bytes)
    try file.commit()
  }

  private func flush() throws {
    try buffer.withUnsafeBytes { try send($0) }
    buffer.removeAll(keepingCapacity: true)
  }

  private func send(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      #if canImport(Glibc)
        let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
      #else
        let written = Darwin.write(descriptor, rest.baseAddress, rest.count)
      #endif
      if written < 0 {
        if errno == EINTR { continue }
        throw Self.failed("write", path)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  private static func failed(_ verb: String, _ path: String) -> LabError {
    LabError(
      .cannotCreate, "cannot \(verb) the file: \(String(cString: strerror(errno)))", at: path,
      advice: "check that the folder exists, is writable and has space")
  }
}
