#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reading of a whole file, pipe or device into memory, never more than its limit.
///
/// Model files go through `MappedFile`, which takes regular files alone. This is for what a person
/// may also pipe: texts, lists of ids, experiment files.
public enum WholeFile {
  /// The bytes at `path`. The size of a regular file is checked before anything is read, everything
  /// else is read up to the limit. Throws `missingInput` where nothing can be read, `badData`
  /// beyond the limit.
  public static func read(
    _ path: String, limit: FileLimit, streams: FileLimit? = nil
  ) throws -> [UInt8] {
    // A pipe that nobody writes to must not block the opening.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw LabError.noFile(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw LabError.noFile(path) }
    switch FileKind(mode: status.st_mode) {
    case .file:
      try limit.check(Int(status.st_size), at: path)
      // Files below /proc say that they have no bytes.
      return try bytes(of: descriptor, limit: limit, expecting: Int(status.st_size), at: path)
    case .pipe, .device, .socket:
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
      return try bytes(of: descriptor, limit: streams ?? limit, expecting: 0, at: path)
    default: throw LabError.noFile(path)
    }
  }

  /// The bytes of standard input. Throws `badData` beyond the limit.
  public static func readStandardInput(limit: FileLimit) throws -> [UInt8] {
    var status = stat()
    if fstat(STDIN_FILENO, &status) == 0, FileKind(mode: status.st_mode) == .file {
      try limit.check(Int(status.st_size), at: "standard input")
    }
    return try bytes(of: STDIN_FILENO, limit: limit, expecting: 0, at: "standard input")
  }

  /// The text at `path`, or nil where there is none that can be read within the limit as UTF-8: for
  /// templates and other files that one does without.
  public static func text(_ path: String, limit: FileLimit = .small) -> String? {
    (try? read(path, limit: limit)).flatMap { String(validating: $0, as: UTF8.self) }
  }

  private static func bytes(
    of descriptor: Int32, limit: FileLimit, expecting size: Int, at place: String
  ) throws -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(size)
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { piece.deallocate() }
    while true {
      try Interruption.check()
      #if canImport(Glibc)
        let count = Glibc.read(descriptor, piece.baseAddress, piece.count)
      #else
        let count = Darwin.read(descriptor, piece.baseAddress, piece.count)
      #endif
      if count < 0 {
        if errno == EINTR { continue }
        throw LabError(
          .missingInput, "cannot read: \(SystemFailure.text())", at: place,
          expected: "a readable file or pipe")
      }
      if count == 0 { return result }
      guard result.count + count <= limit.bytes else { throw limit.endless(at: place) }
      result.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece[..<count]))
    }
  }
}
