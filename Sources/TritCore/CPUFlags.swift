internal import CTritKernels
import Foundation

/// Single instruction sets, and the registers that the operating system keeps for them, as the CPU
/// tells them (`cpuid`, `xgetbv`). `CPUFeatures` are the groups of them that kernels ask for.
///
/// The environment variable `TRITLAB_CPU_WITHOUT`, a list of `names` as `f16c,avx512vbmi`, takes
/// sets away from the CPU: to see what an older one would run, and to test that no leaf needs more
/// than is asked about.
public struct CPUFlags: OptionSet, Sendable, Hashable {
  /// Bits of `TK_FLAG_…`.
  public let rawValue: UInt32

  /// Wraps bits of `TK_FLAG_…`.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The variable that takes sets away.
  public static let environmentVariable = "TRITLAB_CPU_WITHOUT"

  /// What the running CPU and its operating system have; empty where there is no x86.
  public static let here = CPUFlags(rawValue: tk_cpu_flags())

  /// Every flag with its name, as `/proc/cpuinfo` spells it without underscores; `ymm` and `zmm`
  /// are the registers that the operating system keeps.
  public static let names: [(name: String, flag: CPUFlags)] = (0..<Int(TK_FLAG_COUNT)).map {
    (String(cString: tk_cpu_flag_name(Int32($0))), CPUFlags(rawValue: 1 << UInt32($0)))
  }

  /// The flags called `list`, names with commas between them. Throws `usage` for a name that is
  /// none.
  public init(names list: String) throws {
    self = []
    for word in list.split(separator: ",") {
      let name = word.trimmingCharacters(in: .whitespaces)
      if name.isEmpty { continue }
      guard let flag = Self.names.first(where: { $0.name == name })?.flag else {
        let known = Self.names.map(\.name)
        throw LabError(
          .usage, "there is no instruction set '\(name)'", at: Self.environmentVariable,
          expected: "names of \(known.joined(separator: ", ")), with commas between them",
          got: list, advice: Suggestion.didYouMean(name, known))
      }
      insert(flag)
    }
  }

  /// What the environment takes away. Throws `usage` where it names what there is not.
  static func masked() throws -> CPUFlags {
    try CPUFlags(names: ProcessInfo.processInfo.environment[environmentVariable] ?? "")
  }

  /// Throws `usage` where the environment takes away what there is not. The first call of a
  /// command.
  public static func check() throws { _ = try masked() }
}

extension CPUFeatures {
  /// The groups that a CPU with `flags` has. Each asks for every set that its leaves are compiled
  /// for; the flags are those of x86, other CPUs are asked themselves.
  public init(flags: CPUFlags) { self.init(rawValue: tk_cpu_features_of(flags.rawValue)) }

  /// The single sets without which a CPU does not have all of `self`.
  public var flags: CPUFlags {
    let all = CPUFlags(CPUFlags.names.map(\.flag))
    let needed = CPUFlags.names.map(\.flag).filter { flag in
      !CPUFeatures(flags: all.subtracting(flag)).isSuperset(of: self)
    }
    return CPUFlags(needed)
  }
}
