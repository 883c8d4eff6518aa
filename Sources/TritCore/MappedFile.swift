#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file mapped read-only into memory; unmapped when the last reference goes.
///
/// Within `OpenedFiles.perform` a path that has been opened before gives the same mapping again, so
/// that everything read there is of one opening. A file that somebody cuts short while it is mapped
/// ends the process with its name (`MappingFaults`).
public final class MappedFile: Sendable {
  /// Where the file is.
  public let path: String
  /// Bytes in the file.
  public var count: Int { mapping.count }
  private let mapping: Mapping

  /// Maps `path`. Throws `missingInput` when it cannot be opened, `badData` when it is a folder or
  /// larger than `limit`: whoever makes values of all of a file says how large it may be.
  public init(_ path: String, limit: FileLimit? = nil) throws {
    self.path = path
    mapping = try OpenedFiles.current?.mapping(of: path) ?? Mapping(path)
    try limit?.check(mapping.count, at: path)
  }

  /// The bytes; valid while this object lives, which `span` makes sure of.
  public var bytes: UnsafeRawBufferPointer { mapping.bytes }

  /// What the system said of the file when it was opened.
  public var stamp: FileStamp { mapping.stamp }

  /// Says that `range` will not be read soon: its pages stop counting as this process's memory.
  /// They may still be read, from the file.
  public func release(_ range: Range<Int>) { mapping.release(range) }

  /// The bytes in `range`, checked; valid while this object lives.
  public func bytes(_ range: Range<Int>) throws -> UnsafeRawBufferPointer {
    guard range.lowerBound >= 0, range.upperBound <= count else {
      throw LabError(
        .badData, "bytes \(range.lowerBound)..<\(range.upperBound) lie outside the file", at: path,
        expected: "at most \(count) bytes", advice: "the file is truncated or corrupt; get it again"
      )
    }
    return UnsafeRawBufferPointer(rebasing: bytes[range])
  }
}

/// The pages behind a `MappedFile`.
final class Mapping: Sendable {
  let path: String
  let count: Int
  /// Of the open file, before it was mapped.
  let stamp: FileStamp
  private let address: UInt
  /// The place in the table of the handler of faults.
  private let slot: Int?

  init(_ path: String) throws {
    // A pipe without a writer would block for ever before it could be refused.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      // Descriptors and memory run out too: then nothing is wrong with the file.
      let code = errno
      guard code != EMFILE, code != ENFILE, code != ENOMEM else {
        throw LabError(
          .failure, "cannot open the file: \(SystemFailure.text(code))", at: path,
          advice: SystemFailure.advice(code, otherwise: "close other programs"))
      }
      throw LabError.noFile(path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, FileKind(mode: status.st_mode) == .file else {
      throw LabError.noFile(path)
    }
    self.path = path
    stamp = FileStamp(status)
    count = stamp.size
    guard count > 0 else {
      address = 0
      slot = nil
      return
    }
    guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else {
      let number = errno
      throw LabError(
        .failure, "cannot map the file: \(SystemFailure.text(number))", at: path,
        expected: "\(MemoryLimit.mebibytes(count)) of address space",
        got: MemoryLimit.limit.map { "a limit of \(MemoryLimit.mebibytes($0))" },
        advice: SystemFailure.advice(
          number, otherwise: "copy the file to a local disk, and give the copy"))
    }
    address = UInt(bitPattern: base)
    slot = MappingFaults.add(start: address, count: count, path: path)
  }

  deinit {
    if let slot { MappingFaults.remove(slot) }
    if let base = UnsafeMutableRawPointer(bitPattern: address) { munmap(base, count) }
  }

  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address), count: count)
  }

  func release(_ range: Range<Int>) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    // A fault maps its neighbours too, within 64 KiB: those before the range may have come back.
    let around = max(page, 64 << 10)
    let start = max(range.lowerBound, 0) / around * around
    let end = min(range.upperBound, count) / page * page
    guard page > 0, start < end, let base = UnsafeMutableRawPointer(bitPattern: address) else {
      return
    }
    madvise(base + start, end - start, MADV_DONTNEED)
  }

  /// SHA-256 of the mapped bytes, 64 hex digits; what was read is given back. Throws `interrupted`.
  func digest() throws -> String {
    var digest = SHA256()
    let piece = 4 << 20
    for start in stride(from: 0, to: count, by: piece) {
      try Interruption.check()
      let range = start..<min(start + piece, count)
      digest.update(UnsafeRawBufferPointer(rebasing: bytes[range]))
      release(range)
    }
    return digest.finish()
  }
}
