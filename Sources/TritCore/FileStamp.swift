#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the system knows of a file that changes when its bytes may have changed.
public struct FileStamp: Sendable, Hashable {
  /// The device that the file lies on.
  public let device: UInt64
  /// The file's number on its device: another one after a rename over the path.
  public let inode: UInt64
  /// Bytes.
  public let size: Int
  /// When the bytes were last written, nanoseconds since 1970.
  public let modified: Int
  /// When bytes, owner, rights or links last changed, nanoseconds since 1970. No program can set
  /// it.
  public let changed: Int

  /// What lies at `path`, links followed; nil where nothing does.
  public init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// From what `stat` or `fstat` gave.
  init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(truncatingIfNeeded: status.st_ino)
    size = Int(status.st_size)
    #if canImport(Glibc)
      modified = Self.nanoseconds(status.st_mtim)
      changed = Self.nanoseconds(status.st_ctim)
    #else
      modified = Self.nanoseconds(status.st_mtimespec)
      changed = Self.nanoseconds(status.st_ctimespec)
    #endif
  }

  /// Whether both are of one file, whatever was written into it in between.
  public func isSameFile(as other: FileStamp) -> Bool {
    device == other.device && inode == other.inode
  }

  private static func nanoseconds(_ time: timespec) -> Int {
    Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
  }
}
