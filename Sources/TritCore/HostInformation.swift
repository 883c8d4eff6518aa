import Foundation

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The machine that a figure was measured on.
public enum HostInformation {
  /// The CPU as it names itself: `AMD EPYC 9B45`.
  public static let cpuName: String = {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let keys = ["model name", "Model", "Hardware"]
    for key in keys {
      let line = text.split(separator: "\n").first { $0.hasPrefix(key) }
      if let value = line?.split(separator: ":", maxSplits: 1).last {
        return value.trimmingCharacters(in: .whitespaces)
      }
    }
    return BuildInformation.architecture
  }()

  /// Cores that this process may use.
  public static var cores: Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }

  /// Bytes of memory.
  public static var memoryBytes: Int { Int(clamping: ProcessInfo.processInfo.physicalMemory) }

  /// The operating system and its version.
  public static var system: String { ProcessInfo.processInfo.operatingSystemVersionString }

  /// The largest resident size that this process has had, in bytes.
  public static var peakMemoryBytes: Int {
    var usage = rusage()
    #if canImport(Glibc)
      getrusage(RUSAGE_SELF.rawValue, &usage)
      return usage.ru_maxrss * 1024
    #else
      getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #endif
  }
}
