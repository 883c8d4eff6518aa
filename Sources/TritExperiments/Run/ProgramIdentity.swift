internal import Foundation
internal import TritCore
internal import TritKernels

#if canImport(Glibc)
  @preconcurrency internal import Glibc
#endif

/// The running program and the machine, for provenance and for telling whether a measurement is
/// stale.
struct ProgramIdentity: Sendable {
  let version: String
  let commit: String?
  /// The first 16 hex digits of the program's own SHA-256: a rebuilt kernel is another program.
  /// Where the lab lies in a library of its own, that one's stand behind it.
  let digest: String
  /// Libraries that compute, with what decides how.
  let libraries: String
  /// The CPU's name.
  let cpu: String
  /// The CPU and its instruction sets.
  let processor: String

  static let here: ProgramIdentity = {
    let program = ProgramPath.readable
    let parts = [program] + (library.map { $0 == program ? [] : [$0] } ?? [])
    let digest = parts.map { path in
      (try? OpenedFiles.digest(of: path)).map { String($0.prefix(16)) } ?? "unknown"
    }
    return ProgramIdentity(
      version: BuildInformation.version, commit: BuildInformation.commit,
      digest: digest.joined(separator: " "),
      libraries: "\(libraryOfC), OpenBLAS \(OpenBLASRuntime.version), core \(OpenBLASRuntime.core)",
      cpu: HostInformation.cpuName,
      processor: HostInformation.cpuName + ": "
        + CPUFeatures.here.names.joined(separator: " "))
  }()

  /// The file that this code was loaded from: the program, as a rule.
  private static var library: String? {
    // The header shows `dladdr` to GNU programs only. The first member of what it fills in is the
    // path.
    typealias Find = @convention(c) (UnsafeRawPointer, UnsafeMutableRawPointer) -> Int32
    guard let symbol = symbol("dladdr") else { return nil }
    let code: @convention(c) () -> Void = {}
    var found: (path: UnsafePointer<CChar>?, rest: (Int, Int, Int)) = (nil, (0, 0, 0))
    let status = unsafeBitCast(symbol, to: Find.self)(
      unsafeBitCast(code, to: UnsafeRawPointer.self), &found)
    guard status != 0, let path = found.path else { return nil }
    guard let text = String(validatingCString: path) else { return nil }
    return URL(fileURLWithPath: text).resolvingSymlinksInPath().path
  }

  /// The C library, whose `exp` and `log` stand behind every probability.
  private static var libraryOfC: String {
    typealias Version = @convention(c) () -> UnsafePointer<CChar>
    guard let symbol = symbol("gnu_get_libc_version") else {
      return ProcessInfo.processInfo.operatingSystemVersionString
    }
    return "glibc " + String(cString: unsafeBitCast(symbol, to: Version.self)())
  }

  private static func symbol(_ name: String) -> UnsafeMutableRawPointer? {
    dlopen(nil, RTLD_NOW).flatMap { dlsym($0, name) }
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
