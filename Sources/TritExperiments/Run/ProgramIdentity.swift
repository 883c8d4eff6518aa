internal import Foundation
internal import TritCore

#if canImport(Glibc)
  @preconcurrency internal import Glibc
#endif

/// The running program and the machine, for provenance and for telling whether a measurement is stale.
struct ProgramIdentity: Sendable {
  let version: String
  let commit: String?
  /// The first 16 hex digits of the program's own SHA-256: a rebuilt kernel is another program.
  let digest: String
  /// The CPU's name.
  let cpu: String

  static let here: ProgramIdentity = {
    let path = Bundle.main.executablePath ?? CommandLine.arguments.first ?? ""
    let digest = (try? FileDigest.hex(path)).map { String($0.prefix(16)) } ?? "unknown"
    return ProgramIdentity(
      version: BuildInformation.version, commit: BuildInformation.commit, digest: digest,
      cpu: HostInformation.cpuName)
  }()
}

/// Digests of files, read in pieces.
enum FileDigest {
  /// SHA-256 of a file's bytes, 64 hex digits. Throws `missingInput` where it cannot be read.
  static func hex(_ path: String) throws -> String {
    var digest = SHA256()
    try update(&digest, with: path)
    return digest.finish()
  }

  /// SHA-256 over several files, their names included, in the order given.
  static func hex(folder: String, files: [String]) throws -> String {
    if files.count == 1 { return try hex(folder + "/" + files[0]) }
    var digest = SHA256()
    for file in files {
      Array("\(file)\u{0}".utf8).withUnsafeBytes { digest.update($0) }
      try update(&digest, with: folder + "/" + file)
    }
    return digest.finish()
  }

  private static func update(_ digest: inout SHA256, with path: String) throws {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw LabError(.missingInput, "the file cannot be read", at: path)
    }
    defer { try? handle.close() }
    while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
      try Interruption.check()
      piece.withUnsafeBytes { digest.update($0) }
    }
  }
}

/// What Linux tells about the machine; empty or nil where a file of `/proc` or `/sys` is not there.
enum Machine {
  /// The three load averages.
  static var load: String? {
    let text = try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)
    return text.map { $0.split(separator: " ").prefix(3).joined(separator: " ") }
  }

  /// The frequency governor of the first core.
  static var governor: String? {
    let path = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
    return (try? String(contentsOfFile: path, encoding: .utf8))?
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Memory in bytes.
  static var memory: UInt64 { ProcessInfo.processInfo.physicalMemory }

  /// Forgets the peak of resident memory so far, so that the next reading is about what follows.
  static func resetPeakMemory() {
    let descriptor = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = write(descriptor, "5", 1)
    close(descriptor)
  }

  /// The peak of resident memory since the last reset, in bytes.
  static var peakMemory: Double? {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }) else {
      return nil
    }
    let digits = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
    return digits.count > 1 ? Double(digits[1]).map { $0 * 1024 } : nil
  }
}
