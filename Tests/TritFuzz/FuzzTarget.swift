import Foundation
import TritLab

/// One part of the lab under attack.
struct FuzzTarget: Sendable {
  /// The word on the command line.
  let name: String
  /// What it is fed and what is asked of it, in one line.
  let summary: String
  /// How inputs are changed.
  let grammar: Grammar
  /// The least share of inputs that must be accepted: below it the fuzzer tests only the front
  /// door.
  let minimumAccepted: Double
  /// The part of the time of a run over all targets, beside the others'.
  var share = 1.0
  /// Whether every seed must be accepted; noise need not be.
  var areSeedsGood = true
  /// The folders and files of `Sources` whose coverage is this target's to show.
  let sources: [String]
  /// Inputs to begin with.
  let seeds: @Sendable () throws -> [[UInt8]]
  /// Makes what runs one input. It returns where the input was accepted, throws a `LabError` where
  /// it was refused; everything else is a fault.
  let body: @Sendable (Scratch) throws -> ([UInt8]) throws -> Void

  /// All targets: readers, encoders and decoders, plans, options.
  static let all: [FuzzTarget] =
    readers + templates + tokenizers + models + exports + records + arena + jupyter + notebooks
    + plans
    + codecs
    + options
}

/// A broken promise that no error told of: decoding gives something else than was encoded, and the
/// like.
struct BrokenLaw: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Throws `BrokenLaw` unless `holds`.
func demand(_ holds: Bool, _ law: @autoclosure () -> String) throws {
  if !holds { throw BrokenLaw(law()) }
}

/// Where inputs that are files are put, and what a worker counts.
final class Scratch {
  let folder: String
  /// Tokens that went through a whole model.
  var forwardPasses = 0

  /// A fresh folder, in memory where the system has such a place.
  init() throws {
    let parent =
      FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    folder = parent + "/trit-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
    try? FileManager.default.removeItem(atPath: folder)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  func path(_ name: String) -> String { folder + "/" + name }

  /// Writes a file of its own: one of that name which is still mapped stays as it was.
  @discardableResult func write(_ bytes: some Collection<UInt8>, to name: String) throws -> String {
    let path = path(name)
    unlink(path)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw ScratchError(path: path) }
    defer { close(descriptor) }
    let array = Array(bytes)
    let written = array.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
    guard written == array.count else { throw ScratchError(path: path) }
    return path
  }
}

/// The fuzzer itself is short of something.
struct ScratchError: Error {
  let path: String
}
