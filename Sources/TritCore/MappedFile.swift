#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file mapped read-only into memory; unmapped when the last reference goes.
public final class MappedFile: Sendable {
  /// Where the file is.
  public let path: String
  /// Bytes in the file.
  public var count: Int { size }
  private let address: UInt
  private let size: Int

  /// Maps `path`. Throws `missingInput` when it cannot be opened and `badData` when it is a folder.
  public init(_ path: String) throws {
    // A pipe without a writer would block for ever before it could be refused.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw LabError(
        .missingInput, "cannot open the file: \(String(cString: strerror(errno)))", at: path,
        expected: "a readable file", advice: "check the path and its permissions")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw LabError(.badData, "not a regular file", at: path, expected: "a file")
    }
    self.path = path
    size = Int(status.st_size)
    guard size > 0 else {
      address = 0
      return
    }
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else {
      throw LabError(
        .failure, "cannot map the file: \(String(cString: strerror(errno)))", at: path)
    }
    address = UInt(bitPattern: base)
  }

  deinit {
    if let base = UnsafeMutableRawPointer(bitPattern: address) { munmap(base, size) }
  }

  /// The bytes; valid while this object lives.
  public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address), count: size)
  }

  /// Says that `range` will not be read soon: its pages stop counting as this process's memory. They may
  /// still be read, from the file.
  public func release(_ range: Range<Int>) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    // A fault maps its neighbours too, within 64 KiB: those before the range may have come back.
    let around = max(page, 64 << 10)
    let start = max(range.lowerBound, 0) / around * around
    let end = min(range.upperBound, size) / page * page
    guard page > 0, start < end, let base = UnsafeMutableRawPointer(bitPattern: address) else {
      return
    }
    madvise(base + start, end - start, MADV_DONTNEED)
  }

  /// The bytes in `range`, checked; valid while this object lives.
  public func bytes(_ range: Range<Int>) throws -> UnsafeRawBufferPointer {
    guard range.lowerBound >= 0, range.upperBound <= size else {
      throw LabError(
        .badData, "bytes \(range.lowerBound)..<\(range.upperBound) lie outside the file", at: path,
        expected: "at most \(size) bytes", advice: "the file is truncated or corrupt; get it again")
    }
    return UnsafeRawBufferPointer(rebasing: bytes[range])
  }
}
