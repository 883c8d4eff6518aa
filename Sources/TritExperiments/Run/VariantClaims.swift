internal import TritCore

#if canImport(Glibc)
  @preconcurrency internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Which variants this process measures, where several runs of one experiment go on at the same
/// time: a locked file for each, named by the digest of its inputs, below the experiment's folder.
///
/// A claim ends with its process, however that ends, so that another run takes over what a dead one
/// had. Where the folder cannot be written, every variant is this process's.
final class VariantClaims {
  private let folder: String?
  private var held: [String: ClaimFile] = [:]

  /// Claims below `experiment`, the folder of its runs; nil claims nothing and gets everything.
  init(experiment: String?) {
    folder = experiment.flatMap { ClaimFile.folder(below: $0) }
  }

  /// Whether the measurement with these inputs is this process's now.
  func claim(_ digest: String) -> Bool {
    guard let folder, held[digest] == nil else { return true }
    guard let file = ClaimFile(folder + "/" + digest.prefix(32)) else { return true }
    guard file.take(exclusive: true) else { return false }
    held[digest] = file
    return true
  }

  /// Who has it, in words.
  func holder(_ digest: String) -> String {
    let path = folder.map { $0 + "/" + digest.prefix(32) }
    return path.flatMap { FolderLock.holder($0) } ?? "another process"
  }

  /// Gives a claim back: what was measured is in the log.
  func release(_ digest: String) { held.removeValue(forKey: digest)?.remove() }
}

/// The machine, as the runs of one experiment share it: many measure texts side by side, one
/// measures time.
final class MachineTurn {
  private let file: ClaimFile?

  /// The turn on this machine for the experiment with this folder; nil waits for nobody.
  init(experiment: String?) {
    let folder = experiment.flatMap { ClaimFile.folder(below: $0) }
    file = folder.flatMap { ClaimFile("\($0)/machine-\(ClaimFile.machine.slug)") }
  }

  /// Runs `body` beside others of its kind, or with `alone` while no other run of the experiment
  /// measures anything on this machine. `waiting` is told once where that takes a while. Throws
  /// `interrupted` while it waits.
  func during<R>(alone: Bool, waiting: () -> Void, _ body: () throws -> R) throws -> R {
    guard let file else { return try body() }
    var polls = 0
    while !file.take(exclusive: alone) {
      try Interruption.check()
      polls += 1
      if polls == 20 { waiting() }
      usleep(100_000)
    }
    defer { file.release() }
    return try body()
  }
}

/// A file that is locked as a whole while its process lives.
private final class ClaimFile {
  let path: String
  private var descriptor: Int32

  /// nil where it cannot be made.
  init?(_ path: some StringProtocol) {
    self.path = String(path)
    descriptor = open(self.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { return nil }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The folder of claims below `experiment`, made if need be; nil where it cannot be.
  static func folder(below experiment: String) -> String? {
    let path = experiment + "/.claims"
    mkdir(experiment, 0o777)
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else { return nil }
    return access(path, W_OK) == 0 ? path : nil
  }

  static var machine: String {
    var host = [CChar](repeating: 0, count: 256)
    gethostname(&host, host.count - 1)
    return String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Takes the lock if nobody has it in a way that excludes this one.
  func take(exclusive: Bool) -> Bool {
    while true {
      guard flock(descriptor, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 else {
        // A file system without locks is used as it is.
        return errno != EWOULDBLOCK
      }
      // Whoever had it may have removed it: then the name stands for another file, or for none.
      var (own, named) = (stat(), stat())
      if fstat(descriptor, &own) == 0, stat(path, &named) == 0, own.st_ino == named.st_ino {
        if exclusive { writeHolder() }
        return true
      }
      let next = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      guard next >= 0 else { return true }
      close(descriptor)
      descriptor = next
    }
  }

  func release() { flock(descriptor, LOCK_UN) }

  /// Removes the file while it is locked, so that whoever waits for it sees that it is gone.
  func remove() {
    unlink(path)
    close(descriptor)
    descriptor = -1
  }

  private func writeHolder() {
    let text = Array("process \(getpid()) on \(Self.machine)\n".utf8)
    ftruncate(descriptor, 0)
    _ = pwrite(descriptor, text, text.count, 0)
  }
}
