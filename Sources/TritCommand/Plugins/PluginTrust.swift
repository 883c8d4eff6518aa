import Foundation
import TritLab

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Whether the plug-ins that an experiment file names may run. They are native code, and files are
/// passed around: the user is asked once for each content, and the answer is remembered by the
/// digest of what was compiled, in the owner's folder of compiled plug-ins. `--plugin` on the
/// command line is consent and is not asked about.
final class PluginTrust {
  private let allowsAll: Bool
  private let experiment: String
  private let watched: WatchedRun?
  /// Digests that were approved, in order.
  private(set) var allowed: [String] = []

  /// `allowsAll` is `--allow-plugins`, which remembers nothing. In a watched run, what was allowed
  /// when it began is allowed, and nothing else.
  init(allowsAll: Bool, experiment: String, watched: WatchedRun? = nil) {
    self.allowsAll = allowsAll
    self.experiment = experiment
    self.watched = watched
  }

  /// Returns where the plug-in at `path` may run. Throws a usage error that says what to read and
  /// what to do where it may not.
  func approve(_ path: String, digest: String) throws {
    if let watched {
      guard !watched.handover.allowed.contains(digest) else { return }
      throw LabError(
        .failure, "the plug-in was changed while the run went on", at: path,
        expected: watched.handover.allowed.joined(separator: " or "), got: digest,
        advice: "give the same command again: what was measured is not measured again",
        code: Self.code)
    }
    if !allowsAll, try !isRemembered(digest) {
      guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
        throw LabError(
          .usage, "the experiment file names a plug-in that nobody has allowed to run", at: path,
          expected: "a yes to the question that 'trit run' asks on a terminal, or --allow-plugins",
          got: "native code with the digest \(digest)",
          advice: "read \(path); then give the same command with --allow-plugins, or once on a "
            + "terminal",
          code: Self.code)
      }
      guard try ask(path, digest) else {
        throw LabError(
          .usage, "the plug-in was not allowed to run", at: path,
          advice: "drop it from 'plugins:', or say yes once you have read it", code: Self.code)
      }
      try remember(path, digest)
    }
    allowed.append(digest)
  }

  private static let code = LabError.Code(rawValue: "plugin.trust")

  // MARK: What is remembered

  private static func name(_ digest: String) -> String { "allowed-\(digest)" }

  private func folder() throws -> PluginFolder? {
    try CacheFolder.path.map { try PluginFolder($0 + "/plugins") }
  }

  private func isRemembered(_ digest: String) throws -> Bool {
    try folder()?.holds(Self.name(digest)) ?? false
  }

  /// A file for each digest, so that two programs that are asked at once both remember.
  private func remember(_ path: String, _ digest: String) throws {
    guard let folder = try folder() else { return }
    try AtomicFile.write("\(VisibleText.line(path))\n", to: folder.file(Self.name(digest)))
  }

  // MARK: The question

  private func ask(_ path: String, _ digest: String) throws -> Bool {
    Terminal.note(
      """
      \(VisibleText.line(experiment)) names a plug-in: \(VisibleText.line(path))
        It is native code and runs with your rights, as any program of yours. Read it first.
        digest \(digest)
      """)
    Terminal.noteRaw("run it, now and whenever it has this content? [y/N] ")
    let answer = try line().lowercased()
    return answer == "y" || answer == "yes"
  }

  /// A line of standard input; Ctrl-C ends the wait.
  private func line() throws -> String {
    var bytes: [UInt8] = []
    while bytes.count < 100 {
      var wanted = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      let ready = poll(&wanted, 1, 200)
      if Interruption.isRequested { Terminal.note("") }
      try Interruption.check()
      guard ready > 0 else { continue }
      var byte: UInt8 = 0
      guard read(STDIN_FILENO, &byte, 1) == 1, byte != UInt8(ascii: "\n") else { break }
      bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespaces)
  }
}
