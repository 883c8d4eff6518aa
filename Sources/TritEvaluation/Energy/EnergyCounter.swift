import Foundation
import TritCore

/// The energy counters of the processor, where Linux shows them: RAPL domains below
/// `/sys/class/powercap`, in microjoules, running around at a maximum of their own.
///
/// Counted is what the whole package took, for whatever ran on it, idle power included. Since 2020
/// most systems let only root read them (CVE-2020-8694), and virtual machines have none. Source:
/// Linux, `Documentation/power/powercap/powercap.rst`.
public struct EnergyCounter: Sendable {
  /// One package.
  private struct Domain: Sendable {
    let path: String
    let range: Double
  }

  /// What the counters showed.
  public struct Reading: Sendable {
    fileprivate let microjoules: [Double]
  }

  private let domains: [Domain]

  /// The counters below `root`. Throws `missingInput` that says whether there are none, or none to
  /// be read.
  public init(root: String = "/sys/class/powercap") throws {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    // `intel-rapl:0` is a package (AMD's too); `intel-rapl:0:0` a part of it, counted there
    // already.
    let packages = names.filter {
      $0.hasPrefix("intel-rapl:") && $0.split(separator: ":").count == 2
        && (Self.text("\(root)/\($0)/name")?.hasPrefix("package") ?? false)
    }.sorted()
    guard !packages.isEmpty else {
      throw LabError(
        .missingInput, "this machine shows no energy counters", at: root,
        expected: "RAPL domains intel-rapl:0…", advice: "virtual machines have none")
    }
    domains = try packages.map { name in
      let path = "\(root)/\(name)"
      guard Self.number("\(path)/energy_uj") != nil else {
        throw LabError(
          .missingInput, "the energy counter cannot be read", at: "\(path)/energy_uj",
          advice: "run as root, or: sudo chmod a+r \(path)/energy_uj")
      }
      return Domain(
        path: "\(path)/energy_uj", range: Self.number("\(path)/max_energy_range_uj") ?? 0)
    }
  }

  /// Reads all packages.
  public func read() -> Reading {
    Reading(microjoules: domains.map { Self.number($0.path) ?? 0 })
  }

  /// Joules of all packages from `start` to `end`; a counter that went around has done so once.
  public func joules(from start: Reading, to end: Reading) -> Double {
    var total = 0.0
    for (index, domain) in domains.enumerated() {
      let difference = end.microjoules[index] - start.microjoules[index]
      total += difference >= 0 ? difference : difference + domain.range
    }
    return total * 1e-6
  }

  private static func text(_ path: String) -> String? {
    (try? String(contentsOfFile: path, encoding: .utf8))?
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func number(_ path: String) -> Double? { text(path).flatMap { Double($0) } }
}
