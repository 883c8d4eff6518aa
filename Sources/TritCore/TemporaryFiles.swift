import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Leftovers of processes that were killed while they wrote.
public enum LeftoverFiles {
  /// Removes the temporary files that killed processes of the lab left in `folder`; those that a
  /// living process writes stay. `AtomicFile` does this by itself where it writes.
  public static func remove(in folder: String) { TemporaryFiles.sweep(folder) }
}

/// The temporary neighbours of files that are being written: their names, who removes them when a
/// process ends in the middle, and what is done about those of a process that was killed.
///
/// `out.gguf` is written as `out.gguf.partial-PID-XXXXXX`, and the process that writes it holds a
/// lock on it (`flock`). The lock goes with the process, however that ends, so a neighbour without
/// one is a leftover; numbers of processes, which are used again and mean nothing on another
/// machine, decide only where the file system has no locks.
enum TemporaryFiles {
  private static let infix = ".partial-"
  /// Letters and digits that `mkstemp` makes.
  private static let random = 6

  /// The template for a temporary neighbour of `path`.
  static func template(for path: String) -> String {
    let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    // File systems take names of 255 bytes.
    var name = String(path[slash...])
    while name.utf8.count > 200 { name.removeLast() }
    return path[..<slash] + name + infix + "\(getpid())-" + String(repeating: "X", count: random)
  }

  // MARK: Leftovers

  private static let swept = Mutex<Set<String>>([])

  /// Removes the leftovers in the folder that `path` lies in, once a process.
  static func sweepOnce(beside path: String) {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
    guard swept.withLock({ $0.insert(folder).inserted }) else { return }
    sweep(folder)
  }

  /// Removes leftovers of killed processes in `folder`: files with a name of ours, of this user,
  /// that nobody has locked. What cannot be read is left alone.
  static func sweep(_ folder: String) {
    guard let stream = opendir(folder) else { return }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard let owner = owner(name) else { continue }
      remove(folder + (folder.hasSuffix("/") ? "" : "/") + name, owner: owner)
    }
  }

  /// The process in a temporary name; 0 in one of the first version, which had no number; nil for
  /// other names.
  static func owner(_ name: String) -> pid_t? {
    guard let mark = name.ranges(of: infix).last, mark.lowerBound > name.startIndex else {
      return nil
    }
    let parts = name[mark.upperBound...].split(separator: "-", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let letters = parts.last, letters.utf8.count == random,
      letters.utf8.allSatisfy({ isLetterOrDigit($0) })
    else { return nil }
    guard parts.count == 2 else { return 0 }
    return pid_t(parts[0]).flatMap { $0 > 0 ? $0 : nil }
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }

  private static func remove(_ path: String, owner: pid_t) {
    let descriptor = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_uid == geteuid()
    else { return }
    let age = Int(time(nil)) - FileStamp(status).modified / 1_000_000_000
    let isFree = flock(descriptor, LOCK_EX | LOCK_NB) == 0
    if !isFree {
      // Without locks, a process that is not there any more and has not been for a while.
      guard errno != EWOULDBLOCK, owner > 0, age > 3600, kill(owner, 0) != 0, errno == ESRCH else {
        return
      }
    }
    // The first version of the lab took no lock, but whoever writes has written lately.
    if owner == 0, age < 3600 { return }
    unlink(path)
  }

  // MARK: An end in the middle

  /// Outputs that can be under way at once and still be removed by a handler.
  private static let capacity = 64
  private static let longest = 4096

  private struct Slot: ~Copyable {
    let isUsed = Atomic<Bool>(false)
    let isComplete = Atomic<Bool>(false)
  }

  nonisolated(unsafe) private static let slots: UnsafeMutablePointer<Slot> = {
    let slots = UnsafeMutablePointer<Slot>.allocate(capacity: capacity)
    for index in 0..<capacity { (slots + index).initialize(to: Slot()) }
    let names = UnsafeMutablePointer<CChar>.allocate(capacity: capacity * longest)
    names.initialize(repeating: 0, count: capacity * longest)
    nameAddress.store(UInt(bitPattern: names), ordering: .releasing)
    slotAddress.store(UInt(bitPattern: slots), ordering: .releasing)
    return slots
  }()

  /// Notes a temporary file; nil where there is no room.
  static func add(_ path: String) -> Int? {
    let slots = slots
    guard path.utf8.count < longest,
      let names = UnsafeMutablePointer<CChar>(bitPattern: nameAddress.load(ordering: .acquiring))
    else { return nil }
    for index in 0..<capacity {
      let (taken, _) = slots[index].isUsed.compareExchange(
        expected: false, desired: true, ordering: .acquiringAndReleasing)
      guard taken else { continue }
      _ = strcpy(names + index * longest, path)
      slots[index].isComplete.store(true, ordering: .releasing)
      return index
    }
    return nil
  }

  /// Forgets a temporary file that is renamed or removed.
  static func forget(_ index: Int) {
    slots[index].isComplete.store(false, ordering: .releasing)
    slots[index].isUsed.store(false, ordering: .releasing)
  }

  /// Removes all temporary files of this process. Safe in a handler of signals, which ends the
  /// process afterwards.
  static func removeAll() {
    guard
      let slots = UnsafeMutablePointer<Slot>(bitPattern: slotAddress.load(ordering: .acquiring)),
      let names = UnsafePointer<CChar>(bitPattern: nameAddress.load(ordering: .acquiring))
    else { return }
    for index in 0..<capacity where slots[index].isComplete.load(ordering: .acquiring) {
      unlink(names + index * longest)
    }
  }
}

private let slotAddress = Atomic<UInt>(0)
private let nameAddress = Atomic<UInt>(0)
