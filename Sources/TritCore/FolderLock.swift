#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// An advisory lock on a folder, held as long as this object and its process live: two commands do
/// not write into one folder. A killed process leaves the file behind, not the lock.
public final class FolderLock {
  /// The file that is locked; it says which process holds it.
  public let path: String
  private let descriptor: Int32

  /// Takes the lock `name` in `folder`, which exists. Throws `failure` where another process holds
  /// it, with that process's number; `cannotCreate` where the file cannot be made.
  ///
  /// - Parameter what: what holds it, as in "a training".
  public init(folder: String, name: String, what: String) throws {
    path = folder + "/" + name
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      let number = errno
      throw LabError(
        .cannotCreate, "cannot lock the folder: \(SystemFailure.text(number))", at: path,
        advice: SystemFailure.advice(
          number, otherwise: "check that the folder is writable, or name another one with -o DIR"))
    }
    // A file system without locks is used as it is.
    guard flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else {
      writeHolder()
      return
    }
    throw LabError(
      .failure, "another process works in this folder", at: folder,
      expected: "one \(what) at a time", got: Self.holder(path) ?? "a process that left no number",
      advice: "wait until it ends, or name another folder with -o DIR")
  }

  /// The process that a lock file names, in words: `process 123 on box`; nil where it names none.
  public static func holder(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0 else { return nil }
    let words = String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
    guard let line = words.first, line.hasPrefix("process ") else { return nil }
    return String(line)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  private func writeHolder() {
    var host = [CChar](repeating: 0, count: 256)
    gethostname(&host, host.count - 1)
    let machine = String(
      decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let text = Array("process \(getpid()) on \(machine)\n".utf8)
    ftruncate(descriptor, 0)
    _ = pwrite(descriptor, text, text.count, 0)
  }
}
