import Foundation
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The folder of compiled plug-ins. What lies in it is run, so nobody but its owner may have
/// written there: a folder of somebody else, a link, or one that others may enter is refused.
package struct PluginFolder {
  /// Libraries that are kept, and their bytes; the longest unused go first.
  static let mostLibraries = 64
  static let mostBytes = 256 << 20

  /// How the folders begin in which Swift compilers keep what they made of system modules.
  static let modules = "modules-"

  package let path: String

  /// Makes the folder where there is none, for the owner alone, and checks it.
  package init(_ path: String) throws {
    self.path = path
    let parent = (path as NSString).deletingLastPathComponent
    if !parent.isEmpty {
      try? FileManager.default.createDirectory(
        atPath: parent, withIntermediateDirectories: true)
    }
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      let number = errno
      throw LabError(
        .cannotCreate, "cannot make the folder of compiled plug-ins: \(SystemFailure.text(number))",
        at: path,
        advice: SystemFailure.advice(
          number, otherwise: "name a writable cache folder, as with: export XDG_CACHE_HOME=DIR"))
    }
    try Self.check(path)
    try Self.checkParent(parent.isEmpty ? "." : parent)
  }

  private static func check(_ path: String) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw refused(path, SystemFailure.text()) }
    if status.st_mode & S_IFMT == S_IFLNK { throw refused(path, "a link") }
    if status.st_mode & S_IFMT != S_IFDIR { throw refused(path, "no folder") }
    if status.st_uid != geteuid() {
      throw refused(path, "a folder of user \(status.st_uid); you are \(geteuid())")
    }
    if status.st_mode & 0o077 != 0 {
      throw refused(
        path, "rights \(String(status.st_mode & 0o777, radix: 8)), so that others may enter")
    }
  }

  /// Whoever may write into the folder above may put another one in the place of ours.
  private static func checkParent(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else { throw refused(path, SystemFailure.text()) }
    let isOurs = status.st_uid == geteuid() || status.st_uid == 0
    // A group of the user's own is what many systems give; with it goes a mask that lets it write.
    let others: mode_t = status.st_gid == getegid() ? 0o002 : 0o022
    let isOpen = status.st_mode & others != 0 && status.st_mode & S_ISVTX == 0
    if !isOurs || isOpen {
      throw LabError(
        .badData, "others may replace the folder of compiled plug-ins", at: path,
        expected: "a folder of yours that nobody else may write to",
        got: isOurs
          ? "rights \(String(status.st_mode & 0o777, radix: 8))"
          : "a folder of user \(status.st_uid); you are \(geteuid())",
        advice: isOurs
          ? "take the rights away: chmod go-w '\(path)'"
          : "name a cache folder of yours, as with: export XDG_CACHE_HOME=DIR")
    }
  }

  private static func refused(_ path: String, _ got: String) -> LabError {
    LabError(
      .badData, "this folder cannot hold compiled plug-ins, which are run", at: path,
      expected: "a folder of yours that nobody else may enter (rights 700)", got: got,
      advice: "remove it, it is made again: rm -r '\(path)'")
  }

  /// Whether `name` is a file of the owner that nobody else may write to.
  package func holds(_ name: String) -> Bool {
    var status = stat()
    return lstat(file(name), &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      && status.st_uid == geteuid() && status.st_mode & 0o022 == 0
  }

  /// The path of `name` in the folder.
  package func file(_ name: String) -> String { path + "/" + name }

  /// A folder of its own for one compilation; it is gone after `body`.
  package func withScratch<R>(_ body: (String) throws -> R) throws -> R {
    var name = Array((path + "/build-XXXXXX").utf8CString)
    guard mkdtemp(&name) != nil else {
      let number = errno
      throw LabError(
        .cannotCreate, "cannot make a folder to compile in: \(SystemFailure.text(number))",
        at: path,
        advice: SystemFailure.advice(number, otherwise: "check its rights"))
    }
    let scratch = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    return try body(scratch)
  }

  /// Says that the library of `key` was used now.
  package func touch(_ key: String) { utimes(file(key + ".so"), nil) }

  /// Removes the libraries unused longest where there are too many, with what belongs to them, and
  /// what compilations that were killed have left.
  func sweep(keeping key: String) {
    guard let names = try? FolderListing(path).names else { return }
    var libraries: [(key: String, used: Int, bytes: Int)] = []
    let now = Int(time(nil))
    for name in names {
      guard let stamp = FileStamp(path: file(name)) else { continue }
      if name.hasPrefix("build-"), now - stamp.modified / 1_000_000_000 > 3600 {
        try? FileManager.default.removeItem(atPath: file(name))
      }
      if name.hasPrefix(Self.modules), now - stamp.modified / 1_000_000_000 > 30 * 86_400 {
        try? FileManager.default.removeItem(atPath: file(name))
      }
      if name.hasSuffix(".so") {
        libraries.append((String(name.dropLast(3)), stamp.modified, stamp.size))
      }
    }
    libraries.sort { $0.used > $1.used }
    var bytes = 0
    for (index, library) in libraries.enumerated() {
      bytes += library.bytes
      if library.key == key || (index < Self.mostLibraries && bytes <= Self.mostBytes) { continue }
      for name in names where name.hasPrefix(library.key) { unlink(file(name)) }
    }
  }
}
