#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Writes files whole or not at all: into a temporary neighbour, synced, then renamed over the
/// target.
///
/// The neighbour is removed when the write fails, on a second Ctrl-C, and when a mapped input is
/// cut short. One that `kill -9` leaves behind is removed by the next process that writes into the
/// folder.
public final class AtomicFile {
  /// The target.
  public let path: String
  private let temporary: String
  /// The place among the files that a handler removes.
  private var slot: Int?
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private let bufferSize = 1 << 20

  /// Opens a temporary file beside `path`. Nothing is visible at `path` before `commit`.
  ///
  /// - Parameter isPrivate: whether the owner alone may read it; else whom the process's mask
  ///   allows.
  public init(_ path: String, isPrivate: Bool = false) throws {
    self.path = path
    TemporaryFiles.sweepOnce(beside: path)
    (temporary, descriptor) = Self.create(TemporaryFiles.template(for: path))
    guard descriptor >= 0 else { throw Self.failed("create", path) }
    slot = TemporaryFiles.add(temporary)
    fchmod(descriptor, isPrivate ? 0o600 : 0o666 & ~Self.mask)
  }

  /// What new files of this process are not to allow. It can only be read by setting it: that
  /// happens once, lest two threads read each other's zero.
  private static let mask: mode_t = {
    let mask = umask(0)
    umask(mask)
    return mask
  }()

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      unlink(temporary)
    }
    if let slot { TemporaryFiles.forget(slot) }
  }

  /// Makes a file from a template and locks it; the descriptor is −1 where that fails.
  private static func create(_ template: String) -> (path: String, descriptor: Int32) {
    while true {
      var name = Array(template.utf8CString)
      let descriptor = mkstemp(&name)
      let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard descriptor >= 0 else { return (path, descriptor) }
      // A program that is started meanwhile (gnuplot) must not hold the lock beyond this process.
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      // Whoever sweeps takes the lock before this does and removes the file: then make another.
      flock(descriptor, LOCK_EX)
      var status = stat()
      if fstat(descriptor, &status) != 0 || status.st_nlink > 0 { return (path, descriptor) }
      close(descriptor)
    }
  }

  /// Appends bytes. Throws `cannotCreate`, and `badData` where they lie in a mapped file that was
  /// cut short.
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

  /// Flushes and syncs, and says where the bytes are until `commit`, for who wants to read them
  /// back before.
  public func stage() throws -> String {
    try flush()
    guard fsync(descriptor) == 0 else { throw Self.failed("write", path) }
    return temporary
  }

  /// Flushes, syncs and moves the file to its place.
  public func commit() throws {
    _ = try stage()
    // The lock is held until the name is gone: no sweeper sees a file that nobody holds.
    guard rename(temporary, path) == 0 else { throw Self.failed("rename", path) }
    close(descriptor)
    descriptor = -1
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
        // Bytes of a mapped file that are gone are that file's problem.
        if errno == EFAULT, let source = MappingFaults.error(at: rest.baseAddress) { throw source }
        throw Self.failed("write", path)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  private static func failed(_ verb: String, _ path: String) -> LabError {
    let number = errno
    return LabError(
      .cannotCreate, "cannot \(verb) the file: \(SystemFailure.text(number))", at: path,
      advice: SystemFailure.advice(
        number, otherwise: "check that the folder exists, is writable and has space"))
  }
}
