internal import CTritKernels

/// Instruction sets that matter to kernels, as the running CPU has them.
public struct CPUFeatures: OptionSet, Sendable, Hashable {
  /// Bits of `tk_cpu_features`.
  public let rawValue: UInt32

  /// Wraps bits of `tk_cpu_features`.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// AVX2 with FMA and F16C.
  public static let avx2 = CPUFeatures(rawValue: 1 << 0)
  /// `vpdpbusd` on ymm.
  public static let avxVNNI = CPUFeatures(rawValue: 1 << 1)
  /// AVX-512 F, BW, DQ, VL.
  public static let avx512 = CPUFeatures(rawValue: 1 << 2)
  /// `vpdpbusd` on zmm.
  public static let avx512VNNI = CPUFeatures(rawValue: 1 << 3)
  /// `vpermb`, `vpermi2b`.
  public static let avx512VBMI = CPUFeatures(rawValue: 1 << 4)
  /// `vdpbf16ps`.
  public static let avx512BF16 = CPUFeatures(rawValue: 1 << 5)
  /// AArch64 baseline.
  public static let neon = CPUFeatures(rawValue: 1 << 8)
  /// `sdot`, `udot`.
  public static let neonDotProduct = CPUFeatures(rawValue: 1 << 9)
  /// `smmla`.
  public static let neonInt8MatrixMultiply = CPUFeatures(rawValue: 1 << 10)

  /// What this machine has, or the one whose leaves it uses (`TRITLAB_LEAF_RUNNER`), without what
  /// `TRITLAB_CPU_WITHOUT` takes away.
  public static let here =
    LeafRunner.shared?.features
    ?? CPUFeatures(flags: CPUFlags.here.subtracting((try? CPUFlags.masked()) ?? []))

  private static let allNames: [(CPUFeatures, String)] = [
    (.avx2, "avx2"), (.avxVNNI, "avxvnni"), (.avx512, "avx512"), (.avx512VNNI, "avx512vnni"),
    (.avx512VBMI, "avx512vbmi"), (.avx512BF16, "avx512bf16"), (.neon, "neon"),
    (.neonDotProduct, "dotprod"), (.neonInt8MatrixMultiply, "i8mm"),
  ]

  /// The names of the sets, as `/proc/cpuinfo` spells them without underscores.
  public var names: [String] { Self.allNames.filter { contains($0.0) }.map(\.1) }

  /// The sets called `list`, in names as `names` gives them, with spaces or commas between them.
  /// Throws `usage` for a name that is none.
  public init(names list: String) throws {
    self = []
    for word in list.split(whereSeparator: { $0 == " " || $0 == "," }) {
      guard let feature = Self.allNames.first(where: { $0.1 == word })?.0 else {
        let known = Self.allNames.map(\.1)
        throw LabError(
          .usage, "there is no instruction set '\(word)'",
          expected: "names of \(known.joined(separator: ", "))", got: list,
          advice: Suggestion.didYouMean(String(word), known))
      }
      insert(feature)
    }
  }

  /// The names that are in `self` but not on this machine.
  public var missingHere: [String] { subtracting(.here).names }
}
