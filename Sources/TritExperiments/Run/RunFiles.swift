internal import Foundation
internal import TritCore

#if canImport(Glibc)
  @preconcurrency internal import Glibc
#endif

/// Folders and files within run directories.
enum RunFiles {
  /// Makes a folder and those above it. Throws `cannotCreate`.
  static func makeFolder(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw LabError(
        .cannotCreate, "cannot make the folder: \((error as NSError).localizedDescription)",
        at: path, advice: "check that the folder is writable and has space")
    }
  }

  /// Brings the file at `source` to `target`, which is not there yet: as a link where the file
  /// system can, else as a copy, whole or not at all. Throws `cannotCreate`.
  static func bring(_ source: String, to target: String) throws {
    if link(source, target) == 0 { return }
    let half = target + ".part"
    do {
      try FileManager.default.copyItem(atPath: source, toPath: half)
      try FileManager.default.moveItem(atPath: half, toPath: target)
    } catch {
      unlink(half)
      throw LabError(
        .cannotCreate, "cannot copy a file of a record: \((error as NSError).localizedDescription)",
        at: target, advice: "check that the folder is writable and has space")
    }
  }
}
